"""Runs the suite's programs, each in a new interpreter of the kind that is tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SUITE = Path(__file__).resolve().parent
AGENT = SUITE.parent.parent
sys.path.insert(0, str(AGENT))

TIMEOUT_SECONDS = 180


def interpreter() -> str:
    """The command that starts the interpreter under test. It differs from sys.executable for one
    that runs out of another system's folder."""
    return os.environ.get("COWHERD_TEST_PYTHON") or sys.executable


def environment() -> dict[str, str]:
    """Without what would change the allocator or the collector of the programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(AGENT), str(SUITE)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def completed(program: str, *args: object) -> subprocess.CompletedProcess[str]:
    """Run `programs/PROGRAM.py` with `args`, whatever it ends with."""
    return subprocess.run(
        [interpreter(), str(SUITE / "programs" / f"{program}.py"), *map(str, args)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def run(program: str, *args: object) -> dict[str, Any]:
    """Run a program, which must end well; what it printed as JSON on its last line."""
    done = completed(program, *args)
    if done.returncode != 0 or not done.stdout.strip():
        raise AssertionError(
            f"{program} {args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def record(figure: str, value: float) -> None:
    """Note a measured figure; the driver prints them all."""
    target = os.environ.get("COWHERD_FIGURES")
    if target:
        with open(target, "a", encoding="utf-8") as file:
            print(json.dumps({"figure": figure, "value": value}), file=file)
