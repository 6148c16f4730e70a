"""From the name a user chose to the policies to try, highest rung first. Pure."""

from __future__ import annotations

from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.interpreter.interpreter import Interpreter, available_policies, why_not

AUTO = "auto"
"""The highest rung that works here."""


def resolve(name: str, interpreter: Interpreter) -> list[str]:
    """The candidates for the policy `name`.

    `auto` gives every rung that the interpreter can have, highest first; the caller takes the first
    that passes its self-test and its scout. Any other name gives only that policy.

    Raises PolicyUnavailable, with the policies this interpreter can have, for one it can't have.
    """
    if name == AUTO:
        candidates = available_policies(interpreter)
        if candidates:
            return candidates
        name = "stock"
    reason = why_not(name, interpreter)
    if reason is not None:
        raise PolicyUnavailable(name, reason, tuple(available_policies(interpreter)))
    return [name]
