"""Greenlets that switch back and forth, one of them made at import."""

import greenlet


def count() -> None:
    number = 0
    while True:
        number += greenlet.getcurrent().parent.switch(number) or 0


made_at_import = greenlet.greenlet(count)


def answer(number: int) -> str:
    def generate() -> str:
        for n in range(number):
            main.switch(n)
        return "done"

    main = greenlet.getcurrent()
    other = greenlet.greenlet(generate)
    results = []
    while not other.dead:
        results.append(other.switch())
    try:
        greenlet.greenlet(lambda: 1 // 0).switch()
        error = ""
    except ZeroDivisionError as failure:
        error = str(failure)
    counter = greenlet.greenlet(count)
    counter.switch()
    return f"{results} {counter.switch(number)} {error} {made_at_import.dead}"
