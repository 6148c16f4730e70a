"""The socket file that goes with the keeper."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from cowherd_agent.keeper.left_file import LeftFile


def _socket_at(path: Path) -> int:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path.stat().st_ino


def test_goes_with_it(tmp_path: Path) -> None:
    left = LeftFile()
    left.remove()
    first, second = tmp_path / "first", tmp_path / "second"
    left.note(str(first), _socket_at(first))
    left.note(str(second), _socket_at(second))
    left.remove()
    assert sorted(os.listdir(tmp_path)) == ["first"]
    left.remove()


def test_stays_if_it_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.ctl"
    left = LeftFile()
    left.note(str(path), _socket_at(path))
    # Beside the first one, which would give its inode to the second.
    other = tmp_path / "other"
    _socket_at(other)
    os.rename(other, path)
    left.remove()
    assert path.exists()
    path.unlink()
    path.write_text("mine")
    left.note(str(path), path.stat().st_ino)
    left.remove()
    assert path.read_text() == "mine"
