"""scouting.py POLICY WARMUP: the verdict of a scout.

WARMUP: none, well, raises, crashes, hangs, exits, private (allocates 60 MiB of its own), overwrites
(writes into shared memory), prints (to an output that accepts nothing).
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

from cowherd_agent.policies import make
from cowherd_agent.policies.scout import run_scout
from herdlike import MIB, Application, finish

policy = make(sys.argv[1])
policy.before_load()
application = Application(25)
buffer = bytearray(b"x" * (20 * MIB))
policy.prepare()


def raises() -> None:
    raise ValueError("no such table: users\nand more")


def overwrites() -> None:
    buffer[::4096] = b"y" * len(buffer[::4096])


def prints() -> None:
    sys.stdout = open("/dev/full", "w")  # noqa: SIM115  (it stays open)
    print("a line that stays in the buffer")


warmups = {
    "none": None,
    "well": application.rows.copy,
    "raises": raises,
    "crashes": lambda: ctypes.string_at(0),
    "hangs": lambda: time.sleep(600),
    "exits": lambda: os._exit(9),
    "private": lambda: bytearray(b"x" * (60 * MIB)),
    "overwrites": overwrites,
    "prints": prints,
}
timeout_seconds = 1.5 if sys.argv[2] == "hangs" else 300.0
verdict = run_scout(warmups[sys.argv[2]], timeout_seconds, promises=policy.promises)
finish(verdict._asdict())
