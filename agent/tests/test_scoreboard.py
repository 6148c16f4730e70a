"""The scoreboard's rows: one writer each, whole words, readable from outside."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from cowherd_agent import scoreboard
from cowherd_agent.scoreboard import Scoreboard, ScoreboardError


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A file of three slots, as the supervisor makes it."""
    file = tmp_path / "scoreboard"
    header = struct.pack("<3Q", scoreboard.MAGIC, scoreboard.VERSION, 3)
    file.write_bytes(header.ljust(4 * scoreboard.ROW_BYTES, b"\0"))
    return str(file)


def words_in_file(path: str, slot: int) -> tuple[int, ...]:
    data = Path(path).read_bytes()
    return struct.unpack_from(f"<{scoreboard.ROW_WORDS}Q", data, (1 + slot) * scoreboard.ROW_BYTES)


def test_what_is_written_in_a_slot_is_in_its_row_of_the_file(path: str) -> None:
    slot = Scoreboard.attach(path).slot(1)
    slot.words[scoreboard.REQUESTS_FINISHED] = 2**64 - 1
    assert words_in_file(path, 1)[scoreboard.REQUESTS_FINISHED] == 2**64 - 1
    assert set(words_in_file(path, 0) + words_in_file(path, 2)) == {0}


def test_a_new_worker_starts_at_zero(path: str) -> None:
    slot = Scoreboard.attach(path).slot(0)
    for word in range(scoreboard.ROW_WORDS):
        slot.words[word] = 99
    slot.claim(pid=4711, generation=2, forked_monotonic_ns=10**9)
    words = words_in_file(path, 0)
    assert words[scoreboard.PID] == 4711
    assert words[scoreboard.GENERATION] == 2
    assert words[scoreboard.STATE] == scoreboard.STATE_BOOTING
    assert words[scoreboard.FORKED_MONOTONIC_NS] == 10**9
    # Else the supervisor would take it for silent since the machine started.
    assert words[scoreboard.HEARTBEAT_MONOTONIC_NS] == 10**9
    assert set(words[scoreboard.REQUESTS_STARTED :]) == {0}


def test_forked_processes_write_into_one_file(path: str) -> None:
    board = Scoreboard.attach(path)
    children = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            board.slot(number).claim(os.getpid(), 1, 1)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    assert [words_in_file(path, number)[scoreboard.PID] for number in range(3)] == children


@pytest.mark.parametrize("number", [-1, 3, 1000])
def test_there_is_no_slot_beyond_the_last(path: str, number: int) -> None:
    with pytest.raises(IndexError):
        Scoreboard.attach(path).slot(number)


@pytest.mark.parametrize("header", [(0, 1, 3), (scoreboard.MAGIC, 2, 3)])
def test_a_file_of_another_kind_or_version_is_refused(path: str, header: tuple[int, ...]) -> None:
    data = Path(path).read_bytes()
    Path(path).write_bytes(struct.pack("<3Q", *header) + data[24:])
    with pytest.raises(ScoreboardError):
        Scoreboard.attach(path)
    with pytest.raises(FileNotFoundError):
        Scoreboard.attach(path + "-that-is-not-there")
