"""The command that makes the database."""

import sqlite3
import subprocess
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent
PREPARE = [sys.executable, str(SITE / "manage.py"), "prepare"]


def test_several_at_once_make_one_database(small_environment: dict[str, str]) -> None:
    running = [
        subprocess.Popen(PREPARE, env=small_environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=600)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sorted("made" in line for line in said) == [False, False, False, True]
    with sqlite3.connect(small_environment["FEED_DATABASE"]) as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("auth_user", "posts_profile", "posts_post")
        ]
    assert counts == [20, 20, 200]


def test_a_database_that_cannot_be_made_is_one_line(
    small_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    small_environment["FEED_DATABASE"] = str(tmp_path / "file" / "feed.sqlite3")
    done = subprocess.run(
        PREPARE, env=small_environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: ")
    assert len(done.stderr.splitlines()) == 1
