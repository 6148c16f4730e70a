"""Runs the suite's programs, each in a new process of the interpreter under test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import unittest
from pathlib import Path
from typing import IO, Any

SUITE = Path(__file__).resolve().parent
AGENT = SUITE.parent.parent
sys.path.insert(0, str(AGENT))

TIMEOUT_SECONDS = 600

# By the version, not by the code under test: a wrong refusal must fail.
HAS_IMMORTAL = (
    sys.version_info >= (3, 12)
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
    and not hasattr(sys, "gettotalrefcount")
)
HAS_FLAGS = HAS_IMMORTAL and sys.version_info >= (3, 14)
BEST = "immortal" if HAS_IMMORTAL else "freeze"
"""The highest policy that this interpreter can have."""

immortal_only = unittest.skipUnless(HAS_IMMORTAL, "no immortal objects before CPython 3.12")


def environment() -> dict[str, str]:
    """The environment without variables that would change the programs' allocator or collector."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(AGENT), str(SUITE)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def completed(
    program: str, *args: object, stdout: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `programs/PROGRAM.py` with `args`, whatever its status. Captures output unless `stdout`
    is given."""
    return subprocess.run(
        [sys.executable, str(SUITE / "programs" / f"{program}.py"), *map(str, args)],
        env=environment(),
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def run(program: str, *args: object) -> dict[str, Any]:
    """Run a program, which must succeed; return the JSON on its last line."""
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
