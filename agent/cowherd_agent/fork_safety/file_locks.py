"""File locks: after a fork one of the two processes lacks the lock, or each can undo it.

A POSIX lock is not inherited, though the child may believe it holds it. A flock belongs to the open
file, so whichever process unlocks it does so for all (fcntl(2), flock(2)).
"""

from __future__ import annotations

from collections.abc import Sequence

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding

_REMEDY = "release it in the before_mold hook, and take it in a worker when it is needed"


def find(opened: Sequence[Descriptor]) -> list[Finding]:
    return [
        Finding("file lock", f"{kind} lock on {each.target}", _REMEDY)
        for each in opened
        if each.is_file and (kind := _kind_of_lock(each.number))
    ]


def _kind_of_lock(descriptor: int) -> str | None:
    """`FLOCK`, `POSIX` or `OFDLCK`, from a line such as `lock: 1: FLOCK ADVISORY WRITE 359 ...`
    (Documentation/filesystems/proc.rst, 3.8)."""
    try:
        with open(f"/proc/self/fdinfo/{descriptor}") as info:
            for line in info:
                if line.startswith("lock:"):
                    return line.split()[2]
    except OSError:
        # Closed since the folder was listed.
        pass
    return None
