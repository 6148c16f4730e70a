"""The scoreboard's rows: one writer each, whole words, readable from outside, of one size."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cowherd_agent.wire import scoreboard
from cowherd_agent.wire.scoreboard import Counters, Slot


@pytest.fixture
def row() -> Iterator[int]:
    descriptor = scoreboard.make()
    yield descriptor
    os.close(descriptor)


def words_in_file(descriptor: int) -> tuple[int, ...]:
    return struct.unpack(f"<{scoreboard.ROW_WORDS}Q", os.pread(descriptor, scoreboard.ROW_BYTES, 0))


def test_what_is_written_in_a_slot_is_in_its_file(row: int) -> None:
    slot = Slot.map(1, row)
    slot.words[scoreboard.REQUESTS_FINISHED] = 2**64 - 1
    assert words_in_file(row)[scoreboard.REQUESTS_FINISHED] == 2**64 - 1
    assert len(slot.words) == scoreboard.ROW_WORDS


def test_a_new_worker_starts_at_zero(row: int) -> None:
    Slot.map(0, row).claim(pid=4711, generation=2, forked_monotonic_ns=10**9)
    words = words_in_file(row)
    assert words[scoreboard.PID] == 4711
    assert words[scoreboard.GENERATION] == 2
    assert words[scoreboard.STATE] == scoreboard.STATE_BOOTING
    assert words[scoreboard.FORKED_MONOTONIC_NS] == 10**9
    # Otherwise the supervisor would take it for silent since the machine started.
    assert words[scoreboard.HEARTBEAT_MONOTONIC_NS] == 10**9
    assert set(words[scoreboard.REQUESTS_STARTED :]) == {0}


def test_a_row_that_is_mapped_keeps_no_descriptor_open(row: int) -> None:
    before = os.listdir("/proc/self/fd")
    slot = Slot.map(0, row)
    assert os.listdir("/proc/self/fd") == before
    slot.words[scoreboard.REQUESTS_STARTED] = 3
    assert words_in_file(row)[scoreboard.REQUESTS_STARTED] == 3


def test_what_is_no_file_in_memory_is_not_mapped() -> None:
    reading, writing = os.pipe()
    with pytest.raises(OSError, match="mmap"):
        Slot.map(0, reading)
    os.close(reading)
    os.close(writing)


def test_what_a_process_has_counted_outlives_it(row: int) -> None:
    pid = os.fork()
    if pid == 0:
        slot = Slot.map(0, row)
        slot.words[scoreboard.REQUESTS_STARTED] = 9
        slot.words[scoreboard.REQUESTS_FINISHED] = 8
        slot.words[scoreboard.RESPONSE_ERRORS] = 1
        os._exit(0)
    os.waitpid(pid, 0)
    words = [0] * scoreboard.ROW_WORDS
    words[scoreboard.REQUESTS_STARTED] = 9
    words[scoreboard.REQUESTS_FINISHED] = 8
    words[scoreboard.RESPONSE_ERRORS] = 1
    assert scoreboard.read_counters(row) == Counters(9, 8, 1, tuple(words))


def test_nobody_can_cut_a_row_off_under_its_readers_or_fill_memory_with_it(row: int) -> None:
    for size in (0, scoreboard.SIZE_BYTES - 1, scoreboard.SIZE_BYTES + 1):
        with pytest.raises(PermissionError):
            os.ftruncate(row, size)
    os.lseek(row, scoreboard.SIZE_BYTES, os.SEEK_SET)
    with pytest.raises(PermissionError):
        os.write(row, b"x")
    assert os.fstat(row).st_size == scoreboard.SIZE_BYTES


def test_the_keeper_takes_a_row_for_sound(row: int) -> None:
    assert scoreboard.is_sound(row)


def unsealed() -> int:
    descriptor = os.memfd_create("row", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, scoreboard.SIZE_BYTES)
    return descriptor


def sealed_at_another_size() -> int:
    import fcntl

    descriptor = os.memfd_create("row", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, mmap.PAGESIZE)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return descriptor


def file_of_the_right_size(folder: Path) -> int:
    file = folder / "row"
    file.write_bytes(bytes(scoreboard.SIZE_BYTES))
    return os.open(file, os.O_RDWR)


def test_the_keeper_takes_nothing_else_for_a_row(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    device = os.open("/dev/zero", os.O_RDONLY)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    waiting = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    others = [unsealed(), sealed_at_another_size(), file_of_the_right_size(tmp_path)]
    for descriptor in (reading, writing, device, waiting, *others):
        assert not scoreboard.is_sound(descriptor)
        os.close(descriptor)
    assert not scoreboard.is_sound(reading)
