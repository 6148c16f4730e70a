"""Threads of libraries in C, which Python does not know of, and whose they are.

The kernel knows them all, but not who has started them: most have the process's own name. What
tells is the thread's stack: a thread that waits stands in a system call, the kernel says where its
stack ends, and the addresses of return that lie there are of the library whose code it runs.
"""

from __future__ import annotations

import bisect
import os
import re
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

PATIENCE_SECONDS = 0.3
"""How long to look again at threads that run, which have no stack to be read: OpenBLAS's wait for
work in a loop for a while, before they wait in the kernel."""

_LOOK_SECONDS = 0.02

_STACK_BYTES = 64 * 1024
"""How much of a stack is read: the outermost frames of a thread that waits lie well within."""

_NOT_THE_STARTER = re.compile(
    r"(libc|libpthread|libm|libdl|libstdc\+\+|libgcc_s|ld(-linux)?|libpython\d*|python\d*)[.-]|python\d*$"
)
"""Libraries through which others wait and start their threads, and the interpreter, whose functions
they call back."""


class NativeThread(NamedTuple):
    """
    Attributes:
        name: its short name (comm), often the process's own.
        library: the file of the library whose code it runs: from the package on, where it is one's
            (`numpy.libs/libopenblas.so`), else its name; empty if that can't be told.
    """

    name: str
    library: str


class Mapping(NamedTuple):
    """A line of /proc/PID/maps whose memory may be executed, or belongs to a stack."""

    start: int
    end: int
    executable: bool
    path: str


def native_threads() -> list[NativeThread]:
    """The threads of this process that Python did not start, and that it has no object for."""
    known = {thread.native_id for thread in threading.enumerate() if not is_native(thread)}
    known.add(threading.get_native_id())
    numbers = [number for number in _task_numbers() if number not in known]
    if not numbers:
        return []
    mappings = read_mappings()
    libraries = {number: _library_of(number, mappings) for number in numbers}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(libraries.values()) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        for number, library in libraries.items():
            libraries[number] = library or _library_of(number, mappings)
    return [
        NativeThread(name, library)
        for number, library in libraries.items()
        if (name := _name_of(number)) is not None
    ]


def count_of_python() -> int:
    """How many threads Python has started, the main one included."""
    return sum(not is_native(thread) for thread in threading.enumerate())


def is_native(thread: threading.Thread) -> bool:
    """Whether it is a thread of a library's that has once called into Python, which has made up an
    object for it then (Lib/threading.py, _DummyThread). Before 3.13 that stays when the thread has
    ended."""
    return type(thread) is threading._DummyThread


def count() -> int:
    """How many threads the kernel sees in this process (Documentation/filesystems/proc.rst)."""
    return len(_task_numbers())


def read_mappings() -> list[Mapping]:
    """All of this process's, in the order of their addresses."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return parse_mappings(maps)


def parse_mappings(lines: Iterable[str]) -> list[Mapping]:
    """Reads proc_pid_maps(5). Pure."""
    mappings = []
    for line in lines:
        addresses, permissions, _offset, _device, _inode, *path = line.rstrip("\n").split(None, 5)
        start, _, end = addresses.partition("-")
        name = path[0].removesuffix(" (deleted)") if path else ""
        mappings.append(Mapping(int(start, 16), int(end, 16), "x" in permissions, name))
    return mappings


def library_on_stack(stack: bytes, mappings: Sequence[Mapping]) -> str:
    """The library whose code lies outermost on a stack, as far as its words are addresses of code.
    Empty if there is none. Pure."""
    starts = [mapping.start for mapping in mappings]
    found = ""
    words = len(stack) // 8
    for (word,) in struct.iter_unpack("=Q", stack[: words * 8]):
        at = bisect.bisect_right(starts, word) - 1
        if at < 0 or word >= mappings[at].end or not mappings[at].executable:
            continue
        path = mappings[at].path
        if path.startswith("/") and not _NOT_THE_STARTER.match(os.path.basename(path)):
            found = path
    # site-packages, or Debian's dist-packages.
    _, packages, within = found.rpartition("-packages/")
    return within if packages else os.path.basename(found)


def _task_numbers() -> list[int]:
    return sorted(map(int, os.listdir("/proc/self/task")))


def _name_of(number: int) -> str | None:
    """None when it has ended."""
    try:
        with open(f"/proc/self/task/{number}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().rstrip("\n")
    except OSError:
        return None


def _library_of(number: int, mappings: Sequence[Mapping]) -> str:
    try:
        with open(f"/proc/self/task/{number}/syscall", encoding="ascii") as file:
            # Of a thread that runs: the word `running`; of one that waits otherwise: `-1`, the
            # stack pointer and the program counter (Documentation/filesystems/proc.rst).
            fields = file.read().split()
        if len(fields) < 3:
            return ""
        top = int(fields[-2], 16)
        # Not by a pointer: a mapping may be gone by now, and a read says so.
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            stack = os.pread(memory.fileno(), _room_above(top, mappings), top)
    except (OSError, ValueError):
        return ""
    return library_on_stack(stack, mappings)


def _room_above(address: int, mappings: Sequence[Mapping]) -> int:
    """How much of the mapping is left from there, at the most what is to be read."""
    at = bisect.bisect_right([mapping.start for mapping in mappings], address) - 1
    if at < 0 or address >= mappings[at].end:
        return 0
    return min(_STACK_BYTES, mappings[at].end - address)
