"""The title set at import and in each request."""

import setproctitle

setproctitle.setproctitle("herd: loading")


def answer(number: int) -> str:
    setproctitle.setproctitle(f"herd: request {number}")
    return f"{setproctitle.getproctitle()}"
