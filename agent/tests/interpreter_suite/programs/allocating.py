"""allocating.py SEALED KIND: how much a worker that only allocates has to copy.

SEALED: sealed, or open. KIND: small (objects in pymalloc's slots), large (blocks of the C heap).
The mold's heap has holes: most of its objects were dropped again.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from cowherd_agent.heap.seal import read_stats, seal
from cowherd_agent.heap.seal_c_heap import seal_c_heap
from cowherd_agent.heap.trim import trim
from cowherd_agent.interpreter import rawgc
from herdlike import finish, kept_by

sealed = sys.argv[1] == "sealed"
kind = sys.argv[2]
draw = random.Random(7)


def make(count: int) -> list[Any]:
    if kind == "large":
        return [bytes(draw.randint(600, 3000)) for _ in range(count // 10)]
    return [
        {"id": n + 1000, "tags": [f"a{n}", f"b{n}"], "at": (n / 2, n * 2.5)} for n in range(count)
    ]


rawgc.set_threshold(0)
everything = make(150_000)
kept = [each for each in everything if draw.random() < 0.4]
del everything
rawgc.collect()
rawgc.freeze()
free_before = read_stats()
steps = [trim()]
if sealed:
    steps += [seal(), seal_c_heap()]
free_after = read_stats()
found = kept_by(lambda: make(30_000))
found["free_before"] = free_before.free_block_bytes if free_before else 0
found["free_after"] = free_after.free_block_bytes if free_after else 0
found["price_bytes"] = sum(step.price_bytes for step in steps[1:])
found["skipped"] = [step.skipped for step in steps if step.skipped]
found["kept_objects"] = len(kept)
finish(found)
