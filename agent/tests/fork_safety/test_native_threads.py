"""Threads of C libraries, and the libraries that own them."""

from __future__ import annotations

import ctypes
import struct
import threading
import time
from collections.abc import Callable

import pytest
from cowherd_agent.fork_safety.native_threads import (
    Mapping,
    NativeThread,
    library_on_stack,
    native_threads,
    parse_mappings,
)

# Lines of /proc/PID/maps of a process that has imported numpy; proc_pid_maps(5).
MAPS = """\
00400000-00401000 r-xp 00000000 fe:00 1314 /usr/bin/python3.13
7f1000000000-7f1000200000 r--p 00000000 fe:00 2001 /srv/site-packages/numpy.libs/libopenblas64.so
7f1000200000-7f1000a00000 r-xp 00200000 fe:00 2001 /srv/site-packages/numpy.libs/libopenblas64.so
7f2000000000-7f2000800000 rw-p 00000000 00:00 0
7f3000000000-7f3000100000 r-xp 00000000 fe:00 77 /usr/lib/x86_64-linux-gnu/libc.so.6
7f4000000000-7f4000100000 r-xp 00000000 fe:00 78 /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30
7f5000000000-7f5000100000 r-xp 00000000 fe:00 79 /srv/my library.so (deleted)
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]
"""


def test_mappings_are_read_with_spaces_in_their_paths() -> None:
    mappings = parse_mappings(MAPS.splitlines(keepends=True))
    assert len(mappings) == 8
    assert mappings[0] == Mapping(0x400000, 0x401000, True, "/usr/bin/python3.13")
    assert mappings[3] == Mapping(0x7F2000000000, 0x7F2000800000, False, "")
    assert mappings[6].path == "/srv/my library.so"


@pytest.mark.parametrize(
    ("words", "library"),
    [
        # From the innermost frame outwards: a wait in libc, the library, libc's start of a thread.
        ([0x7F3000000010, 0x7F1000200100, 0x7F3000000500], "numpy.libs/libopenblas64.so"),
        # A library's data is not its code.
        ([0x7F3000000010, 0x7F1000000100, 0x7F3000000500], ""),
        # The outermost library that is not the system's has started the thread.
        (
            [0x7F5000000010, 0x7F1000200100, 0x7F4000000010, 0x7F3000000500],
            "numpy.libs/libopenblas64.so",
        ),
        ([0x7F4000000010, 0, 2**64 - 1, 0x7F3000000500], ""),
        ([], ""),
    ],
)
def test_the_library_is_told_by_addresses_of_return(words: list[int], library: str) -> None:
    stack = struct.pack(f"={len(words)}Q", *words) + b"\xff" * 3
    assert library_on_stack(stack, parse_mappings(MAPS.splitlines())) == library


Routine = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


def started(routine: object) -> None:
    """Starts a thread that Python does not know of."""
    number = ctypes.c_ulong()
    assert ctypes.CDLL(None).pthread_create(ctypes.byref(number), None, routine, None) == 0


def eventually(found: Callable[[], list[NativeThread]], count: int) -> list[NativeThread]:
    deadline = time.monotonic() + 20
    while len(found()) != count and time.monotonic() < deadline:
        time.sleep(0.01)
    return found()


def test_threads_that_python_did_not_start_are_found() -> None:
    before = native_threads()
    go_on = threading.Event()

    @Routine
    def wait(_argument: int | None) -> None:
        # Makes up an object for the thread, as a library that calls into Python does.
        threading.current_thread()
        go_on.wait()

    known = threading.Thread(target=go_on.wait)
    known.start()
    started(wait)
    found = eventually(lambda: [each for each in native_threads() if each not in before], 1)
    go_on.set()
    known.join()
    assert len(found) == 1
    # The thread runs a function of ctypes. Its outermost code is libffi's, ctypes' or the
    # interpreter's, depending on how they were linked.
    assert found[0].library
    assert eventually(native_threads, len(before)) == before
