"""Shared by the programs of the suite: a heap like an application's, forks, and measuring."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from cowherd_agent.interpreter import rollup

MIB = 1024 * 1024


class Row:
    """An instance with a dict's worth of attributes, like an application's objects."""

    def __init__(self, number: int) -> None:
        self.number = number + 100_000
        self.name = f"row {number}"
        self.weights = (number * 0.5, number * 1.5)


class Application:
    """About `mib` MiB of ordinary objects."""

    def __init__(self, mib: int) -> None:
        self.records: list[dict[str, Any]] = []
        self.rows: list[Row] = []
        self.texts: dict[str, str] = {}
        self.nested: list[tuple[Any, ...]] = []
        self.sets: list[frozenset[str]] = []
        before = rollup.anonymous_bytes()
        number = 0
        while rollup.anonymous_bytes() - before < mib * MIB:
            for _ in range(2000):
                self._add(number)
                number += 1

    def _add(self, number: int) -> None:
        self.records.append(
            {
                "id": number + 1000,
                "tags": [f"a{number}", f"b{number}"],
                "by name": {f"k{number}": number + 5000, "half": number / 2},
            }
        )
        self.rows.append(Row(number))
        self.texts[f"text {number}"] = f"The text of {number}"
        self.nested.append((number + 1000, (f"n{number}", (float(number), None))))
        self.sets.append(frozenset([f"s{number}", f"t{number}"]))

    def read_everything(self) -> int:
        """Reads each object as application code does: iteration, attributes, lookups, hashes."""
        total = 0
        for record in self.records:
            for key, value in record.items():
                total += hash(key)
                if type(value) is list:
                    for tag in value:
                        total += hash(tag)
                elif type(value) is dict:
                    for inner_key, inner in value.items():
                        total += hash(inner_key) + int(inner)
                        _ = value[inner_key]
        for row in self.rows:
            total += row.number + hash(row.name)
            for weight in row.weights:
                total += int(weight)
        for name, text in self.texts.items():
            total += hash(name) + hash(text)
        for number, (name, (half, _)) in self.nested:
            total += number + hash(name) + int(half)
        for names in self.sets:
            total += hash(names)
            for name in names:
                total += hash(name)
        return total


def in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Fork, work in the child, and return its findings. Dies if the child does."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            os.write(writer, json.dumps(work()).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"the child ended with status {status}")
    found: dict[str, Any] = json.loads(text)
    return found


def shared_bytes() -> int:
    now = rollup.shared_anonymous_bytes()
    if now is None:
        raise SystemExit("this kernel does not tell a process its memory (smaps)")
    return now


def kept_by(work: Callable[[], object]) -> dict[str, Any]:
    """In a child: how much of the memory shared at its fork is still shared after `work`."""

    def child() -> dict[str, Any]:
        at_fork = shared_bytes()
        work()
        now = shared_bytes()
        return {"at_fork": at_fork, "kept": now / at_fork, "unshared": at_fork - now}

    return in_child(child)


def finish(found: dict[str, Any]) -> None:
    """Print the findings, and leave without taking the heap down."""
    print(json.dumps(found), flush=True)
    os._exit(0)
