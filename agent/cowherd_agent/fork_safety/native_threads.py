"""Threads of C libraries, which Python does not know of, and the libraries that own them.

The kernel knows all threads, but not who started them: most have the process's own name. The
thread's stack tells. A waiting thread is in a system call, the kernel says where its stack ends,
and the return addresses there belong to the library whose code it runs.
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
"""How long to keep looking at running threads, whose stack can't be read: OpenBLAS's threads spin
for a while before they wait in the kernel."""

_LOOK_SECONDS = 0.02

_STACK_BYTES = 64 * 1024
"""How much of a stack is read: the outermost frames of a waiting thread lie well within it."""

_NOT_THE_STARTER = re.compile(
    r"(libc|libpthread|libm|libdl|libstdc\+\+|libgcc_s|ld(-linux)?|libpython\d*|python\d*)[.-]|python\d*$"
)
"""Libraries through which other libraries wait and start their threads, and the interpreter, whose
functions call back into them."""


class NativeThread(NamedTuple):
    """
    Attributes:
        name: the thread's short name (comm), often the process's own.
        library: the file of the library whose code it runs: from the package on, if it is in one
            (`numpy.libs/libopenblas.so`), else its base name; empty if unknown.
    """

    name: str
    library: str


class Mapping(NamedTuple):
    """One line of /proc/PID/maps."""

    start: int
    end: int
    executable: bool
    path: str


def native_threads() -> list[NativeThread]:
    """The threads of this process that Python did not start and has no object for."""
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
    """Whether it is a library's thread that has called into Python once, which then made up an
    object for it (Lib/threading.py, _DummyThread). Before 3.13 the object stays after the thread
    has ended."""
    return type(thread) is threading._DummyThread


def count() -> int:
    """How many threads this process has, by the kernel (Documentation/filesystems/proc.rst)."""
    return len(_task_numbers())


def read_mappings() -> list[Mapping]:
    """All mappings of this process, in the order of their addresses."""
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
    """The library whose code lies outermost on a stack, judged by the words that are addresses of
    code. Empty if there is none. Pure."""
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
    """The thread's name; None if it has ended."""
    try:
        with open(f"/proc/self/task/{number}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().rstrip("\n")
    except OSError:
        return None


def _library_of(number: int, mappings: Sequence[Mapping]) -> str:
    try:
        with open(f"/proc/self/task/{number}/syscall", encoding="ascii") as file:
            # A running thread has the word `running`. A thread that waits outside a system call has
            # `-1`, the stack pointer and the program counter (Documentation/filesystems/proc.rst).
            fields = file.read().split()
        if len(fields) < 3:
            return ""
        top = int(fields[-2], 16)
        # Not through a pointer: the mapping may be gone by now, and a read reports that.
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            stack = os.pread(memory.fileno(), _room_above(top, mappings), top)
    except (OSError, ValueError):
        return ""
    return library_on_stack(stack, mappings)


def _room_above(address: int, mappings: Sequence[Mapping]) -> int:
    """Bytes from `address` to the end of its mapping, at most _STACK_BYTES."""
    at = bisect.bisect_right([mapping.start for mapping in mappings], address) - 1
    if at < 0 or address >= mappings[at].end:
        return 0
    return min(_STACK_BYTES, mappings[at].end - address)
