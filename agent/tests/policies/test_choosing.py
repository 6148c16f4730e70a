"""Which policies an interpreter can have, and the ladder: pure."""

from __future__ import annotations

from typing import get_args

import pytest
from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.interpreter.interpreter import Interpreter, available_policies, identify, why_not
from cowherd_agent.interpreter.ladder_table import LADDER
from cowherd_agent.mold.own_settings import TABLE
from cowherd_agent.policies import make
from cowherd_agent.policies.ladder import resolve
from cowherd_agent.prepare import PolicyChoice

NEW = Interpreter("cpython", (3, 13, 0))
OLD = Interpreter("cpython", (3, 11, 7))
FREE_THREADED = Interpreter("cpython", (3, 14, 2), free_threaded=True)
PYPY = Interpreter("pypy", (3, 11, 13))
FUTURE = Interpreter("cpython", (3, 16, 0))
HUGE = Interpreter("cpython", (3, 15, 0), huge_pages=True)


def test_what_each_can_have() -> None:
    assert available_policies(NEW) == ["immortal", "freeze", "instagram", "stock"]
    assert available_policies(OLD) == ["freeze", "instagram", "stock"]
    assert available_policies(FREE_THREADED) == ["stock"]
    assert available_policies(PYPY) == ["stock"]
    assert available_policies(FUTURE) == ["freeze", "instagram", "stock"]
    assert available_policies(HUGE) == []


def test_reasons_name_the_interpreter() -> None:
    reason = why_not("immortal", OLD)
    assert reason == "it needs CPython 3.12 or newer, and this is CPython 3.11.7"
    assert "free-threaded CPython 3.14.2" in (why_not("freeze", FREE_THREADED) or "")
    assert "unset PYTHON_PYMALLOC_HUGEPAGES" in (why_not("stock", HUGE) or "")


@pytest.mark.parametrize(
    "change", [{"debug": True}, {"pointer_bytes": 4}, {"little_endian": False}]
)
def test_immortal_needs_a_release_build_on_64_bit_little_endian(change: dict[str, object]) -> None:
    other = NEW._replace(**change)  # type: ignore[arg-type]
    assert why_not("immortal", other) is not None
    assert why_not("freeze", other) is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [((3, 13, 9), False), ((3, 14, 0), True), ((3, 14, 4), True), ((3, 14, 5), False)],
)
def test_the_incremental_collector_is_in_3_14_0_to_3_14_4(
    version: tuple[int, int, int], expected: bool
) -> None:
    assert Interpreter("cpython", version).incremental_collector is expected


def test_auto_gives_the_ladder_and_a_name_gives_itself() -> None:
    assert resolve("auto", NEW) == ["immortal", "freeze", "instagram", "stock"]
    assert resolve("auto", FREE_THREADED) == ["stock"]
    assert resolve("freeze", NEW) == ["freeze"]


def test_an_explicit_policy_that_can_not_be_had_says_what_can() -> None:
    with pytest.raises(PolicyUnavailable) as raised:
        resolve("immortal", OLD)
    assert raised.value.policy == "immortal"
    assert raised.value.available == ("freeze", "instagram", "stock")
    assert str(raised.value).endswith("available here: freeze, instagram, stock")
    with pytest.raises(PolicyUnavailable, match="there is no such policy"):
        resolve("imortal", NEW)
    with pytest.raises(PolicyUnavailable, match="huge pages"):
        resolve("auto", HUGE)


def test_every_rung_is_a_policy_of_that_name() -> None:
    for name in [rung.name for rung in LADDER]:
        assert make(name).name == name


def test_this_interpreter_knows_itself() -> None:
    import sys

    assert identify().version == sys.version_info[:3]
    assert identify().implementation == sys.implementation.name


def test_the_names_that_types_and_settings_have_are_those_of_the_ladder() -> None:
    names = {rung.name for rung in LADDER} | {"auto"}
    assert set(get_args(PolicyChoice)) == names
    [setting] = [row for row in TABLE if row["name"] == "heap_policy"]
    assert set(setting["choices"]) == names
