"""What a keeper without a supervisor leaves in the runtime directory."""

from __future__ import annotations

import select
from pathlib import Path

import pytest
from cowherd_agent.keeper.adoption_socket import AdoptionSocket

OF_A_HERD = ("control.sock", "herd.json", "herd.json.new", "census-1", "census-12.new")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in OF_A_HERD:
        (folder / name).touch()
    return folder


def _leave(folder: Path, with_directory: bool = True) -> None:
    opened = AdoptionSocket(str(folder / "keeper.sock"), select.poll())
    assert opened.open() is None
    opened.close(with_directory)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_of_cowherds_goes(folder: Path) -> None:
    (folder / ".cowherd").touch()
    _leave(folder)
    assert not folder.exists()


def test_a_folder_with_a_file_of_somebody_else_stays_and_is_the_next_herds(folder: Path) -> None:
    for name in (".cowherd", "stack-of-mine", "census-report.txt"):
        (folder / name).touch()
    _leave(folder)
    assert _names(folder) == [".cowherd", "census-report.txt", "stack-of-mine"]


def test_a_folder_that_was_found_stays(folder: Path) -> None:
    (folder / ".cowherd-found").touch()
    _leave(folder)
    assert _names(folder) == [".cowherd-found"]


def test_the_supervisor_takes_its_files_away_itself(folder: Path) -> None:
    _leave(folder, with_directory=False)
    assert _names(folder) == sorted(OF_A_HERD)
