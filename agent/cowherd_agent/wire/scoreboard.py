"""The scoreboard: counters that the supervisor reads without sending a message.

Each worker has its own row, in an anonymous file (memfd_create(2)) that other workers can't reach.
The mold makes the file before the fork, maps nothing, and passes it to the keeper with `forked`;
only the worker maps it. The file is sealed (fcntl(2), F_SEAL_SHRINK and F_SEAL_GROW): a worker can
neither fill memory with it nor truncate it under a reader.

The file begins with the row: unsigned 64-bit little-endian words, so a reader never sees half a
value on the machines that CPython supports. From ``STACK_OFFSET`` on there is room for the worker's
Python stack (worker/stack.py). ``src/agent/scoreboard.ts`` is the reader; a test compares the two.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
from typing import Final, NamedTuple

ROW_WORDS: Final = 32
ROW_BYTES: Final = ROW_WORDS * 8

SIZE_BYTES: Final = 64 * 1024
STACK_OFFSET: Final = 4096

PID: Final = 0
GENERATION: Final = 1
STATE: Final = 2
FORKED_MONOTONIC_NS: Final = 3
READY_MONOTONIC_NS: Final = 4
HEARTBEAT_MONOTONIC_NS: Final = 5
REQUESTS_STARTED: Final = 6
REQUESTS_FINISHED: Final = 7
COLLECTIONS_OUTSIDE: Final = 8
COLLECTIONS_OUTSIDE_NS: Final = 9
COLLECTIONS_INSIDE: Final = 10
COLLECTIONS_INSIDE_NS: Final = 11
GUARD_HELD: Final = 12
GUARD_REPORTED: Final = 13
OBJECTS_FREED: Final = 14
RESPONSE_ERRORS: Final = 15
BUSY_NS: Final = 16
"""The time in which at least one request was in flight, up to the last moment without any."""
BUSY_SINCE_MONOTONIC_NS: Final = 17
"""Since when at least one request is in flight; 0 while there is none."""
DURATION_NS: Final = 18
"""The sum of the durations of the finished requests."""
DURATION_BUCKETS: Final = 19
"""The first of the words that count finished requests by duration."""

DURATION_BOUNDS_NS: Final = tuple(
    milliseconds * 1_000_000
    for milliseconds in (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
)
"""The longest duration of each bucket; one more bucket has the longer requests. Together with the
words before them they fill the row."""

STATE_EMPTY: Final = 0
STATE_BOOTING: Final = 1
STATE_READY: Final = 2
STATE_DRAINING: Final = 3
STATE_LEAVING: Final = 4

NAME: Final = "cowherd-scoreboard"

_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW

# Linux 6.3 and newer, which log a warning without it (include/uapi/linux/memfd.h).
_MFD_NOEXEC_SEAL: Final = 0x0008

_ROW: Final = struct.Struct(f"<{ROW_WORDS}Q")


class Counters(NamedTuple):
    """A row's counters, as the worker wrote them; it may have made them up.

    Attributes:
        words: the whole row.
    """

    requests_started: int
    requests_finished: int
    response_errors: int
    words: tuple[int, ...]


class Slot:
    """One worker's row; ``words`` is writable and 32 words long."""

    __slots__ = ("number", "words")

    def __init__(self, number: int, words: memoryview) -> None:
        self.number = number
        self.words = words

    @classmethod
    def map(cls, number: int, descriptor: int) -> Slot:
        """Maps the row in the file that :func:`make` made, in the row's own worker.

        Raises OSError. The row stays mapped: a worker that becomes a mold has counters that nobody
        reads.
        """
        words = (ctypes.c_uint64 * ROW_WORDS).from_address(_map(descriptor))
        return cls(number, memoryview(words).cast("B").cast("Q"))

    def claim(self, pid: int, generation: int, forked_monotonic_ns: int) -> None:
        """Fills the row in a new worker."""
        self.words[GENERATION] = generation
        self.words[FORKED_MONOTONIC_NS] = forked_monotonic_ns
        self.words[HEARTBEAT_MONOTONIC_NS] = forked_monotonic_ns
        self.words[STATE] = STATE_BOOTING
        # Last, since a reader takes a row as valid once its pid is the worker's.
        self.words[PID] = pid


def _map(descriptor: int) -> int:
    """The address at which the row is mapped, for reading and writing, and shared.

    The standard library's mmap would keep its own descriptor open, at least before 3.13
    (Modules/mmapmodule.c), and each later generation would inherit it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    )
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    address = libc.mmap(None, mmap.PAGESIZE, protection, mmap.MAP_SHARED, descriptor, 0)
    # MAP_FAILED is -1, as an address.
    if address is None or address == 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1:
        raise OSError(ctypes.get_errno(), "mmap of the scoreboard's row")
    return int(address)


def make() -> int:
    """Returns the descriptor of a new row's file, all zeros. Raises OSError."""
    try:
        descriptor = os.memfd_create(NAME, os.MFD_CLOEXEC | _MFD_NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        descriptor = os.memfd_create(NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, SIZE_BYTES)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_sound(descriptor: int) -> bool:
    """Whether this is a row's file, of the right size and sealed: reading it can't block or fail,
    whoever writes to it."""
    try:
        status = os.fstat(descriptor)
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        # Only files in memory have seals.
        return False
    is_sealed = seals & _SEALS == _SEALS
    return stat.S_ISREG(status.st_mode) and status.st_size == SIZE_BYTES and is_sealed


def read_counters(descriptor: int) -> Counters:
    """The worker's latest counts; also after its end."""
    words = _ROW.unpack(os.pread(descriptor, ROW_BYTES, 0))
    return Counters(
        words[REQUESTS_STARTED], words[REQUESTS_FINISHED], words[RESPONSE_ERRORS], words
    )
