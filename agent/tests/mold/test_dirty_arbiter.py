"""What a mold hears from the guardian of a dirty arbiter."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from cowherd_agent.mold.dirty_arbiter import _LONGEST_LINE_BYTES, _first_line


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


def test_a_line_is_read_and_nothing_after_it(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"ready 12 /run/dirty.sock\nx")
    os.close(writer)
    assert _first_line(reader, 5) == "ready 12 /run/dirty.sock"
    assert os.read(reader, 1) == b"x"


def test_an_arbiter_that_ends_says_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(writer)
    assert _first_line(reader, 5) == ""


def test_an_arbiter_that_never_starts_is_a_failure(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"rea")
    assert _first_line(reader, 0.05) == "failed the dirty arbiter has not started within 0.05 s"
    os.close(writer)


def test_a_line_has_a_bound(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"x" * 2 * _LONGEST_LINE_BYTES)
    assert len(_first_line(reader, 5)) == _LONGEST_LINE_BYTES
    os.close(writer)
