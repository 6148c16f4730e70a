"""placing.py PLACED: how much a worker copies when it runs functions that lie all over the heap.

PLACED: gathered, or scattered. The functions have run in the mold. They have closures, inner
functions, generators and defaults, and give the same results afterwards.
"""

from __future__ import annotations

import random
import sys
from types import CodeType
from typing import Any

from cowherd_agent.heap import immortality
from cowherd_agent.heap.code_placement import Recorder, gather
from cowherd_agent.heap.seal import seal
from cowherd_agent.heap.seal_c_heap import seal_c_heap
from cowherd_agent.heap.trim import trim
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.interpreter import identify, why_not
from herdlike import finish, kept_by

SOURCE = """
def outer(value, extra=("x", {number})):
    def inner(times):
        return [value + extra[1] + step for step in range(times)]
    def items():
        for each in inner(3):
            yield each
    return sum(items()) + len(extra)

def use(number, objects):
    # Of several types, so that the interpreter goes on counting.
    return outer(number), [each.number for each in objects]
"""

gathered = sys.argv[1] == "gathered"
rawgc.set_threshold(0)
between: list[Any] = []
draw = random.Random(7)
functions = []
# One object each of eight classes.
objects = [type(f"Kind{number}", (), {"number": number})() for number in range(8)]
for number in range(400):
    namespace: dict[str, Any] = {}
    exec(SOURCE.format(number=number), namespace)
    functions.append(namespace["use"])
    # Stands for other modules' data: one function's code is far from the next one's.
    between.append([bytes(draw.randint(60, 470)) for _ in range(300)])


def play() -> list[Any]:
    return [each(number, objects) for number, each in enumerate(functions)]


expected = play()
code_before: list[CodeType] = [each.__code__ for each in functions]
recorder = Recorder()
with recorder:
    play()
step = gather(recorder.codes) if gathered else None
same = play() == expected and [each.__code__ for each in functions] == code_before
for _ in range(8):
    play()
rawgc.collect()
if why_not("immortal", identify()) is None:
    immortality.immortalize()
rawgc.freeze()
trim()
seal()
seal_c_heap()
found = kept_by(lambda: [play() for _ in range(20)])
found["same"] = same
found["counts"] = {} if step is None else dict(step.counts)
found["moved"] = sum(
    each.__code__ is not code for each, code in zip(functions, code_before, strict=True)
)
finish(found)
