"""Shapes of JSON, and commands by their shapes."""

from __future__ import annotations

from typing import Any

import pytest
from cowherd_agent.wire import shapes
from cowherd_agent.wire.checking import problem_of
from cowherd_agent.wire.commands import keeper_command, mold_command, mold_order
from cowherd_agent.wire.message_rules import BadMessage

ADDRESS = [
    "variant",
    "kind",
    {"tcp": {"host": "string", "port": "whole"}, "unix": {"path": "string"}},
]

ORDER = {
    "generation": 1,
    "runtime_directory": "/run/shop",
    "log_format": "text",
    "cwd": "/",
    "daemonized": False,
    "rejected_policies": [{"policy": "immortal", "reason": "a test"}],
    "occasion": "first",
}


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("a", "string"),
        (True, "boolean"),
        (3, "whole"),
        (3, ["whole", 3]),
        (0.5, ["number", 0]),
        (2, "number"),
        (None, ["nullable", "string"]),
        ("a", ["nullable", "string"]),
        ({"x": [object()]}, "unknown"),
        ("b", ["one of", ["a", "b"]]),
        ([], ["list", "whole"]),
        ({"PATH": "/bin"}, ["map", "string"]),
        ({"a": 1, "more": 2}, ["object", {"a": "whole"}]),
        ({}, ["object", {"a": ["nullable", "whole"]}]),
        ({"kind": "unix", "path": "/a"}, ADDRESS),
    ],
)
def test_values_that_have_the_shape(value: Any, shape: Any) -> None:
    assert problem_of(value, shape) is None


@pytest.mark.parametrize(
    ("value", "shape", "problem"),
    [
        (1, "string", "the value is 1, not a string"),
        (1, "boolean", "the value is 1, not true or false"),
        (True, "whole", "the value is True, not a whole number"),
        (1.0, "whole", "the value is 1.0, not a whole number"),
        (0, ["whole", 1], "the value is 0, not a whole number of at least 1"),
        (float("nan"), "whole", "the value is nan, not a whole number"),
        ("c", ["one of", ["a", "b"]], "the value is 'c', not a or b"),
        ({}, ["list", "whole"], "the value is {}, not a list"),
        ([1, "x"], ["list", "whole"], "[1] is 'x', not a whole number"),
        ({"a": {"b": 1}}, ["object", {"a": ["object", {"b": "string"}]}], "a.b is 1, not a string"),
        ({}, ["object", {"a": "whole"}], "a is missing"),
        ([], ["object", {}], "the value is [], not an object"),
        ({"A": 1}, ["map", "string"], "A is 1, not a string"),
        ({"kind": "fd"}, ADDRESS, "kind is 'fd', not tcp or unix"),
        ({"kind": []}, ADDRESS, "kind is [], not tcp or unix"),
        ({"kind": "tcp", "host": "a"}, ADDRESS, "port is missing"),
        ("x" * 1000, "whole", f"the value is '{'x' * 39}, not a whole number"),
    ],
)
def test_values_that_do_not(value: Any, shape: Any, problem: str) -> None:
    assert problem_of(value, shape) == problem


def test_a_command_of_the_keeper() -> None:
    assert keeper_command({"type": "signal", "pid": 7, "signal": 15})["type"] == "signal"
    nested = {"type": "to_mold", "generation": 1, "message": {"type": "fork", "slot": 0}}
    assert keeper_command(nested) == nested


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"type": "dance"}, "unknown command 'dance'"),
        ({"type": ["signal"]}, r"unknown command .*signal"),
        ({"type": "signal", "pid": "7", "signal": 15}, "signal: pid is '7', not a whole number"),
        ({"type": "signal", "pid": 7}, "signal: signal is missing"),
        (
            {"type": "to_mold", "generation": 1, "message": {"type": "dance"}},
            "to_mold: message.type is 'dance', not fork or .* or exit",
        ),
    ],
)
def test_a_command_that_is_none(message: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadMessage, match=problem):
        keeper_command(message)


def test_a_mold_takes_what_the_keeper_says_to_it_too() -> None:
    listeners = {"type": "listeners", "families": ["tcp"], "inherited": [False]}
    assert mold_command(listeners) == listeners
    with pytest.raises(BadMessage, match=r"listeners: inherited\[0\] is 0, not true or false"):
        mold_command({**listeners, "inherited": [0]})
    with pytest.raises(BadMessage, match="unknown command 'start_mold'"):
        mold_command({"type": "start_mold"})


def test_the_order_of_a_mold() -> None:
    assert mold_order({"type": "order", **ORDER}) == {"type": "order", **ORDER}
    with pytest.raises(BadMessage, match="order: occasion is 'whim', not first or reload"):
        mold_order({**ORDER, "occasion": "whim"})


def test_every_shape_of_a_command_is_understood() -> None:
    """A value that has no shape at all must be refused, not crash the check."""
    for commands in (shapes.KEEPER_COMMANDS, shapes.MOLD_COMMANDS):
        for fields in commands.values():
            for shape in fields.values():
                assert problem_of(object(), shape) is not None
