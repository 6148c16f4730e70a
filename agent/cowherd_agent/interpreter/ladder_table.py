"""The ladder of heap policies: their names, their order, and what each needs of an interpreter.

The table is policies.json, from which TypeScript's copy is made too (`cowherd doctor`).
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from cowherd_agent.places import PACKAGE_FOLDER


class Rung(NamedTuple):
    """One heap policy.

    ``needs`` are names of requirements, in the order in which they are reported; ``oldest`` and
    ``newest`` are minor versions of CPython; ``guard_holds`` are functions of ``gc`` that would
    undo the policy.
    """

    name: str
    needs: tuple[str, ...]
    oldest: tuple[int, int] | None
    newest: tuple[int, int] | None
    guard_holds: frozenset[str]


def _read() -> tuple[dict[str, str], tuple[Rung, ...]]:
    with open(os.path.join(PACKAGE_FOLDER, "policies.json"), encoding="utf-8") as file:
        table = json.load(file)
    rungs = tuple(
        Rung(
            row["name"],
            tuple(row["needs"]),
            tuple(row["oldest"]) if "oldest" in row else None,
            tuple(row["newest"]) if "newest" in row else None,
            frozenset(row["guard_holds"]),
        )
        for row in table["ladder"]
    )
    return table["requirements"], rungs


REASONS, LADDER = _read()
"""Reasons for unmet requirements, by requirement; and the rungs, highest first."""

RUNGS = {rung.name: rung for rung in LADDER}
