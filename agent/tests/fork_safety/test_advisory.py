"""Advisory steps: each is judged by itself, and none ends the process that it advises."""

from __future__ import annotations

from typing import NoReturn

import pytest
from cowherd_agent.fork_safety.advisory import Advisory


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text to be had")


def raises(error: BaseException) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RuntimeError("broken\nin two lines"), "RuntimeError: broken"),
        (Silent(), "Silent: no text"),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError(), "RuntimeError: no text"),
    ],
)
def test_one_that_fails_is_one_warning_and_a_traceback(error: BaseException, text: str) -> None:
    warnings: list[str] = []
    tracebacks: list[str] = []
    advisory = Advisory(warnings.append, tracebacks.append)
    assert advisory.attempt("the look for locks", lambda: raises(error)) is None
    assert advisory.failed == [f"the look for locks failed ({text})"]
    (warning,) = warnings
    assert warning.startswith(f"Fork safety: the look for locks failed ({text});")
    assert "report" in warning
    (traceback,) = tracebacks
    assert "Traceback" in traceback


def test_one_that_succeeds_says_nothing() -> None:
    told: list[str] = []
    advisory = Advisory(told.append, told.append)
    assert advisory.attempt("the look for locks", lambda: [1]) == [1]
    assert told == advisory.failed == []
