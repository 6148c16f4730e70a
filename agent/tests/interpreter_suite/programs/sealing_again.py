"""sealing_again.py TIMES: what each of TIMES sealings leaves free, in a heap with holes."""

from __future__ import annotations

import sys

from cowherd_agent.heap.seal import seal
from cowherd_agent.heap.trim import trim
from cowherd_agent.interpreter import rawgc
from herdlike import finish

rawgc.set_threshold(0)
everything = [
    {"id": n + 1000, "tags": [f"a{n}", f"b{n}"], "at": (n / 2, n * 2.5)} for n in range(50_000)
]
kept = everything[::3]
del everything
rawgc.collect()
rawgc.freeze()
trim()
steps = [seal() for _ in range(int(sys.argv[1]))]
finish({"left_free_bytes": [step.counts["left_free_bytes"] for step in steps]})
