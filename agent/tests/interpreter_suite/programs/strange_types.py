"""strange_types.py: immortality with metaclasses that define their own comparison and hash."""

from __future__ import annotations

from typing import Any

from cowherd_agent.heap import immortality
from cowherd_agent.heap.hashes import Hasher
from cowherd_agent.interpreter import rawgc
from herdlike import finish, kept_by

calls: list[str] = []


class Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        calls.append("eq")
        raise TypeError("these classes can't be compared")


class Loud(type):
    def __hash__(cls) -> int:
        calls.append("hash")
        raise RuntimeError("nobody may ask for this")


First: Any = Unhashable("First", (), {})
Second: Any = Loud("Second", (dict,), {})
held: list[Any] = [First() for _ in range(20_000)]
held += [Second(number=number, text=f"text {number}") for number in range(20_000)]
held += [(First, number) for number in range(5_000)]

rawgc.set_threshold(0)
step = immortality.immortalize()
rawgc.freeze()


def read() -> int:
    return sum(len(str(each)) for each in held)


read()
found = kept_by(read)
found["calls"] = calls
found["objects"] = step.counts["objects"]
found["hashed"] = Hasher().compute(held[:10])
finish(found)
