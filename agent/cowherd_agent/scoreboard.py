"""The scoreboard: counters that the supervisor reads without sending a message.

A file in the runtime directory, mapped by every worker. Row 0 is the header
``[MAGIC, VERSION, slots]``; row ``1 + slot`` belongs to one worker, its only writer. Every
field is an unsigned 64-bit little-endian word, so a reader never sees half a value on the
machines that CPython supports. ``src/agent/scoreboard.ts`` is the reader; a test compares
the two.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

MAGIC: Final = 0x3144_4952_4548_4357
VERSION: Final = 1
ROW_WORDS: Final = 32
ROW_BYTES: Final = ROW_WORDS * 8

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

STATE_EMPTY: Final = 0
STATE_BOOTING: Final = 1
STATE_READY: Final = 2
STATE_DRAINING: Final = 3
STATE_LEAVING: Final = 4


class ScoreboardError(RuntimeError):
    """The scoreboard file is not one that this agent understands."""


class Slot:
    """One worker's row; ``words`` is writable and 32 words long."""

    __slots__ = ("number", "words")

    def __init__(self, number: int, words: memoryview) -> None:
        self.number = number
        self.words = words

    def claim(self, pid: int, generation: int, forked_monotonic_ns: int) -> None:
        """Takes the row over for a new worker: counters start at zero."""
        for index in range(ROW_WORDS):
            self.words[index] = 0
        self.words[GENERATION] = generation
        self.words[FORKED_MONOTONIC_NS] = forked_monotonic_ns
        self.words[HEARTBEAT_MONOTONIC_NS] = forked_monotonic_ns
        self.words[STATE] = STATE_BOOTING
        # Last, since a reader takes a row for valid when its pid is the worker's.
        self.words[PID] = pid

    def clear(self) -> None:
        """Gives the row back, to be claimed by another process."""
        for index in range(ROW_WORDS):
            # The pid is the first one.
            self.words[index] = 0


class Scoreboard:
    """The mapped file. Forked workers share the mapping."""

    def __init__(self, words: memoryview) -> None:
        if words[0] != MAGIC or words[1] != VERSION:
            raise ScoreboardError(
                f"not a scoreboard of version {VERSION}: magic {words[0]:#x}, version {words[1]}"
            )
        self._words = words
        self.slots = int(words[2])

    @classmethod
    def attach(cls, path: str) -> Scoreboard:
        """Maps the file at ``path``, which the supervisor has made.

        Raises OSError when it can't be opened, ScoreboardError when it is of another version.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            mapping = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        return cls(memoryview(mapping).cast("Q"))

    def slot(self, number: int) -> Slot:
        """The row of slot ``number``, counted from 0. Raises IndexError beyond the last."""
        if not 0 <= number < self.slots:
            raise IndexError(f"slot {number} of {self.slots}")
        start = (1 + number) * ROW_WORDS
        return Slot(number, self._words[start : start + ROW_WORDS])
