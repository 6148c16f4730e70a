#!/usr/bin/env python3
"""Runs agent/tests/interpreter_suite on every CPython from 3.10 to 3.15 that can be found.

Looks on PATH, under ~/.pyenv/versions, and in a Debian folder made by scripts/get-interpreters.sh
(.cache/forky, or the folder that COWHERD_FORKY names), whose interpreters are run in place through
their own dynamic linker. Needs the standard library only.

Prints which interpreters it uses, the figures that the tests measured on each, and `N passed,
N failed`. Exit status 1 if a test failed, or if CI=true and there is none of 3.12 or newer.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "agent" / "tests" / "interpreter_suite"
CACHE = ROOT / ".cache"
OLDEST, NEWEST = (3, 10), (3, 15)

IDENTIFY = (
    "import sys, platform; t = 't' if 't' in getattr(sys, 'abiflags', '') else '';"
    "print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])) + t)"
)


class Interpreter:
    """A command that starts an interpreter, and what it said that it is."""

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
            # A version manager's stand-in must not choose by the folder it runs in.
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
    found += in_debian_folder()
    return found


def in_debian_folder() -> list[Path]:
    """Starters for the interpreters in a folder that debootstrap made, which have their own C
    library."""
    folder = Path(os.environ.get("COWHERD_FORKY") or CACHE / "forky")
    starters = []
    for python in sorted(folder.glob("usr/bin/python3.[0-9]*")):
        if not re.fullmatch(r"python3\.\d+", python.name):
            continue
        linkers = sorted(folder.glob("lib64/ld-linux-*.so.*")) or sorted(
            folder.glob("lib/ld-linux-*.so.*")
        )
        libraries = sorted(folder.glob("usr/lib/*-linux-gnu"))
        if not linkers or not libraries:
            continue
        starters.append(
            write_starter(CACHE / "interpreters" / python.name, linkers[0], libraries, python)
        )
    return starters


def write_starter(starter: Path, linker: Path, libraries: list[Path], python: Path) -> Path:
    starter.parent.mkdir(parents=True, exist_ok=True)
    path = ":".join(str(folder) for folder in libraries)
    starter.write_text(
        f'#!/bin/sh\nexec "{linker}" --library-path "{path}" "{python}" "$@"\n', "utf-8"
    )
    starter.chmod(starter.stat().st_mode | stat.S_IXUSR)
    return starter


def find(oldest: tuple[int, int]) -> list[Interpreter]:
    """One interpreter of each version from that one on, oldest first."""
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


def run_suite(
    interpreter: Interpreter, figures: Path, pattern: str
) -> tuple[int, int, dict[str, float]]:
    """Tests passed, tests failed, figures."""
    environment = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(SUITE), str(ROOT / "agent")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COWHERD_TEST_PYTHON": str(interpreter.command),
        "COWHERD_FIGURES": str(figures),
    }
    figures.write_text("")
    command = [str(interpreter.command), "-m", "unittest", "discover"]
    done = subprocess.run(
        [*command, "--start-directory", str(SUITE), "--pattern", pattern],
        env=environment,
        cwd=SUITE,
        capture_output=True,
        text=True,
        check=False,
    )
    ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.MULTILINE)
    bad = sum(int(count) for count in re.findall(r"(?:failures|errors)=(\d+)", done.stderr))
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
        bad = max(bad, 1)
    total = int(ran[1]) if ran else 0
    if total == 0:
        print(f"no test ran on {interpreter.version}\n{done.stderr}")
        bad = max(bad, 1)
    measured = [json.loads(line) for line in figures.read_text().splitlines()]
    return max(0, total - bad), bad, {each["figure"]: each["value"] for each in measured}


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
    if not any(each.minor >= (3, 12) for each in interpreters):
        print("there is no CPython of 3.12 or newer, so immortal objects are not tested")
        if os.environ.get("CI") == "true":
            return 1

    passed = failed = 0
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for interpreter in interpreters:
            started = time.perf_counter()
            good, bad, measured = run_suite(
                interpreter, Path(scratch, "figures"), arguments.pattern
            )
            figures[interpreter.version] = measured
            passed, failed = passed + good, failed + bad
            seconds = time.perf_counter() - started
            print(f"CPython {interpreter.version}: {good} passed, {bad} failed, {seconds:.0f} s")
            sys.stdout.flush()
    print_figures(figures)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not interpreters else 0


if __name__ == "__main__":
    sys.exit(main())
