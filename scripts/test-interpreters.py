#!/usr/bin/env python3
"""Runs agent/tests/interpreter_suite on every CPython from 3.10 to 3.15 that can be found.

Looks on PATH, under ~/.pyenv/versions, and in the folder of scripts/get-interpreters.sh
(.cache/interpreters, or the folder that COWHERD_INTERPRETERS names). Needs the standard library
only.

Prints which interpreters it uses, the figures that the tests measured on each, which tests were
skipped and why, and `N passed, N failed, N skipped`. Exit status 1 if a test failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "agent" / "tests" / "interpreter_suite"
BROUGHT = Path(os.environ.get("COWHERD_INTERPRETERS") or ROOT / ".cache" / "interpreters")
OLDEST, NEWEST = (3, 10), (3, 15)

IDENTIFY = (
    "import sys, platform; t = 't' if 't' in getattr(sys, 'abiflags', '') else '';"
    "print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])) + t)"
)


class Interpreter:
    """A command that starts an interpreter, and the implementation and version that it reported."""

    def __init__(self, command: Path, implementation: str, version: str) -> None:
        self.command = command
        self.implementation = implementation
        self.version = version

    @property
    def minor(self) -> tuple[int, int]:
        major, minor = self.version.rstrip("t").split(".")[:2]
        return int(major), int(minor)


def identify(command: Path) -> Interpreter | None:
    try:
        done = subprocess.run(
            [str(command), "-c", IDENTIFY],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            # So that a version manager's stand-in doesn't choose by the current folder.
            cwd="/",
        )
        implementation, version = done.stdout.split()
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(command, implementation, version)


def candidates(oldest: tuple[int, int]) -> list[Path]:
    names = [f"python3.{minor}" for minor in range(oldest[1], NEWEST[1] + 1)]
    found = [Path(sys.executable)]
    found += sorted((Path.home() / ".pyenv" / "versions").glob("*/bin/python3"))
    for name in [*names, "python3"]:
        on_path = shutil.which(name)
        if on_path:
            found.append(Path(on_path))
    found += sorted(BROUGHT.glob("*/bin/python3"))
    return found


def find(oldest: tuple[int, int]) -> list[Interpreter]:
    """One interpreter of each version from `oldest` on, oldest first."""
    by_version: dict[str, Interpreter] = {}
    for command in candidates(oldest):
        interpreter = identify(command)
        if interpreter is None or interpreter.implementation != "cpython":
            continue
        if oldest <= interpreter.minor <= NEWEST:
            by_version.setdefault(interpreter.version, interpreter)
    return sorted(
        by_version.values(), key=lambda each: [int(n) for n in re.findall(r"\d+", each.version)]
    )


@dataclass
class Outcome:
    """The outcome of the suite on one interpreter, or on all."""

    passed: int = 0
    failed: int = 0
    skips: list[dict[str, str]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        skipped = f", {len(self.skips)} skipped" if self.skips else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run_suite(interpreter: Interpreter, scratch: Path, pattern: str) -> Outcome:
    environment = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
    result, figures = scratch / "result", scratch / "figures"
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(SUITE), str(ROOT / "agent")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COWHERD_FIGURES": str(figures),
    }
    result.write_text("{}")
    figures.write_text("")
    done = subprocess.run(
        [str(interpreter.command), str(SUITE / "run.py"), str(result), pattern],
        env=environment,
        cwd=SUITE,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(result.read_text("utf-8"))
    skips = [
        {"test": f"CPython {interpreter.version} > {skip['test']}", "reason": skip["reason"]}
        for skip in told.get("skips", [])
    ]
    failed, ran = told.get("failed", 0), told.get("ran", 0)
    if done.returncode != 0 or ran == 0:
        print(done.stdout, done.stderr, sep="\n")
        failed = max(failed, 1)
    measured = [json.loads(line) for line in figures.read_text().splitlines()]
    return Outcome(
        passed=max(0, ran - failed - len(skips)),
        failed=failed,
        skips=skips,
        figures={each["figure"]: each["value"] for each in measured},
    )


def print_figures(figures: dict[str, dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for each in figures.values() for name in each))
    width = max((len(name) for name in names), default=0)
    print("\n" + " " * width + "".join(f"{version:>10}" for version in figures))
    for name in names:
        cells = [f"{each[name]:10.3f}" if name in each else " " * 10 for each in figures.values()]
        print(f"{name:<{width}}" + "".join(cells))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="only say which were found")
    parser.add_argument(
        "--oldest", metavar="3.MINOR", default=f"3.{OLDEST[1]}", help="the oldest to look for"
    )
    parser.add_argument("--report", metavar="FILE", type=Path, help="write the outcome as JSON")
    parser.add_argument("--pattern", default="test_*.py", help="which files of the suite to run")
    arguments = parser.parse_args()

    oldest = (3, int(arguments.oldest.removeprefix("3.")))
    interpreters = find(oldest)
    for interpreter in interpreters:
        print(f"CPython {interpreter.version:<9} {interpreter.command}")
    missing = [
        f"3.{minor}"
        for minor in range(oldest[1], NEWEST[1] + 1)
        if (3, minor) not in {each.minor for each in interpreters}
    ]
    if missing:
        print(f"not found: {', '.join(missing)} (scripts/get-interpreters.sh brings 3.14 and 3.15)")
    if arguments.list:
        return 0

    total = Outcome()
    # A missing interpreter counts as a part of the suite that did not run.
    total.skips += [
        {
            "test": f"CPython {version} > every test",
            "reason": f"no CPython {version} on this machine",
        }
        for version in missing
    ]
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for interpreter in interpreters:
            started = time.perf_counter()
            outcome = run_suite(interpreter, Path(scratch), arguments.pattern)
            figures[interpreter.version] = outcome.figures
            total.passed += outcome.passed
            total.failed += outcome.failed
            total.skips += outcome.skips
            seconds = time.perf_counter() - started
            print(f"CPython {interpreter.version}: {outcome}, {seconds:.0f} s")
            sys.stdout.flush()
    print_figures(figures)
    print()
    for skip in total.skips:
        print(f"skipped: {skip['test']}: {skip['reason']}")
    print(total)
    if arguments.report is not None:
        report = {"passed": total.passed, "failed": total.failed, "skips": total.skips}
        arguments.report.write_text(json.dumps(report), "utf-8")
    return 1 if total.failed or not interpreters else 0


if __name__ == "__main__":
    sys.exit(main())
