"""Whose fault an exception is: Cowherd's own, or that of code it called."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest
from cowherd_agent.failures import MoldFailure
from cowherd_agent.mold.hooks import is_own_fault, run_hook
from cowherd_agent.warmup.warmup import parse_request, play


def raised_by(step: Callable[[], object]) -> BaseException:
    try:
        step()
    except BaseException as error:
        return error
    pytest.fail("it raised nothing")


class Unreadable:
    """An application's object that raises in the middle of Cowherd's code."""

    def __iter__(self) -> NoReturn:
        raise RuntimeError("no requests")


def test_what_own_code_raises_is_its_own_fault_also_by_way_of_the_standard_library() -> None:
    assert is_own_fault(raised_by(lambda: parse_request("GET")))
    # Raised by the standard library, which Cowherd's code called with an unsuitable value.
    from cowherd_agent.fork_safety.native_threads import parse_mappings

    assert is_own_fault(raised_by(lambda: parse_mappings(["no addresses r-xp 0 0 0"])))


def test_what_an_application_raises_is_not() -> None:
    assert not is_own_fault(raised_by(lambda: play(None, "wsgi", Unreadable())))  # type: ignore[arg-type]


def test_a_hook_that_raises_ends_the_mold_with_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def on_starting(_server: object) -> NoReturn:
        raise RuntimeError("no licence")

    with pytest.raises(MoldFailure) as failure:
        run_hook("on_starting", on_starting, None)
    assert (failure.value.code, failure.value.detail) == (
        "HOOK_FAILED",
        "on_starting: RuntimeError: no licence",
    )
    assert "no licence" in capsys.readouterr().err
