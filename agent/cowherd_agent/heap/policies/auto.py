"""`auto`: the highest rung of the ladder that works here. Pure choice; see heap/ladder.py."""

from __future__ import annotations

from cowherd_agent.heap.interpreter import Interpreter, why_not

NAME = "auto"

LADDER = ("immortal", "freeze", "instagram", "stock")
"""Highest first."""


def candidates(interpreter: Interpreter) -> list[str]:
    """The rungs to try on this interpreter, highest first."""
    return [name for name in LADDER if why_not(name, interpreter) is None]


def next_down(name: str, interpreter: Interpreter) -> str | None:
    """The rung below `name` on this interpreter; None below the lowest."""
    rungs = candidates(interpreter)
    below = LADDER[LADDER.index(name) + 1 :]
    return next((rung for rung in below if rung in rungs), None)
