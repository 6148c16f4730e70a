"""leaves.py HOW FOLDER STATUS: a process that leaves, with every kind of cleanup to do.

HOW: leave (leaving.leave), hook (leave_at_exit, and then sys.exit), raise (leave_at_exit, and an
uncaught exception), plain (the interpreter's own way, to compare with).
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cowherd_agent.leaving import leave_at_exit, open_files
from cowherd_agent.leaving.leaving import leave

how, folder, status = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


def note(text: str) -> None:
    with open(folder / "order", "a", encoding="utf-8") as order:
        print(text, file=order)


class Finalized:
    """Tells when the heap is taken down. Globals may be gone by then."""

    def __init__(self) -> None:
        order = os.open(folder / "order", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.write = partial(os.write, order, b"finalized\n")

    def __del__(self) -> None:
        self.write()


def broken() -> None:
    raise ValueError("a broken hook")


in_the_heap = Finalized()
atexit.register(note, "first hook")
atexit.register(broken)
of_the_mold = open(folder / "of the mold", "w", encoding="utf-8")  # noqa: SIM115
of_the_mold.write("before, ")
if how != "plain":
    # As in a mold; open files are looked for only then.
    open_files.remember()
    gc.freeze()
of_the_mold.write("after")
if how in ("hook", "raise"):
    leave_at_exit.install()
    leave_at_exit.install()
atexit.register(note, "last hook")


def slow_thread() -> None:
    time.sleep(0.2)
    note("thread")


threading.Thread(target=slow_thread, daemon=False).start()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
pool = ThreadPoolExecutor(1)
pool.submit(slow_thread)
left_open = open(folder / "left open", "w", encoding="utf-8")  # noqa: SIM115
left_open.write("written")
print("to stdout", end="")
ctypes.CDLL(None).printf(b"to C's stdout")
if how == "leave":
    leave(status)
if how == "raise":
    raise RuntimeError("nobody catches this")
sys.exit(status)
