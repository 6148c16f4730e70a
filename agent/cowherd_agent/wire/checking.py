"""Whether a value of JSON has a shape (shapes.json, which scripts/tables.ts makes). Pure.

A shape is one of:

    "string", "boolean", "unknown"
    "whole", "number"               or ["whole", LEAST], ["number", LEAST]
    ["one of", [VALUE, ...]]
    ["nullable", SHAPE]
    ["list", SHAPE]
    ["map", SHAPE]                  an object with any keys
    ["object", {NAME: SHAPE}]       an object with these keys; more may be there
    ["variant", NAME, {VALUE: {NAME: SHAPE}}]  an object whose keys follow from the value of NAME
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_LONGEST_SHOWN = 40

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a string"),
    "boolean": ((bool,), "true or false"),
    "whole": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
}


def problem_of(value: Any, shape: Any, place: str = "") -> str | None:
    """What is wrong with the value, and where in it; None if nothing is. ``place`` names it."""
    kind: str
    details: list[Any]
    kind, *details = [shape] if isinstance(shape, str) else shape
    if kind in _TYPES:
        return _problem_of_scalar(value, kind, details, place)
    if kind == "unknown" or (kind == "nullable" and value is None):
        return None
    if kind == "nullable":
        return problem_of(value, details[0], place)
    if kind == "one of":
        expected = " or ".join(map(str, details[0]))
        known = type(value) is str and value in details[0]
        return None if known else _expected(expected, value, place)
    if kind == "list":
        if type(value) is not list:
            return _expected("a list", value, place)
        items = ((f"{place}[{index}]", each, details[0]) for index, each in enumerate(value))
        return _first_problem(items)
    if type(value) is not dict:
        return _expected("an object", value, place)
    if kind == "map":
        return _first_problem(
            (_inside(place, name), each, details[0]) for name, each in value.items()
        )
    if kind == "object":
        return problem_of_fields(value, details[0], place)
    discriminator, variants = details
    chosen = value.get(discriminator)
    if type(chosen) is not str or chosen not in variants:
        expected = " or ".join(variants)
        return _expected(expected, chosen, _inside(place, discriminator))
    return problem_of_fields(value, variants[chosen], place)


def problem_of_fields(value: dict[str, Any], shapes: dict[str, Any], place: str = "") -> str | None:
    """The same for an object, by the shapes of its fields."""
    for name in shapes:
        if name not in value and not _is_nullable(shapes[name]):
            return f"{_inside(place, name)} is missing"
    return _first_problem(
        (_inside(place, name), value.get(name), shape) for name, shape in shapes.items()
    )


def _problem_of_scalar(value: Any, kind: str, details: list[Any], place: str) -> str | None:
    types, expected = _TYPES[kind]
    # Exactly: a boolean is an int in Python.
    if type(value) not in types:
        return _expected(expected, value, place)
    if details and value < details[0]:
        return _expected(f"{expected} of at least {details[0]}", value, place)
    return None


def _first_problem(values: Iterable[tuple[str, Any, Any]]) -> str | None:
    return next(
        (
            problem
            for place, value, shape in values
            if (problem := problem_of(value, shape, place)) is not None
        ),
        None,
    )


def _is_nullable(shape: Any) -> bool:
    return not isinstance(shape, str) and shape[0] == "nullable"


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _expected(expected: str, value: Any, place: str) -> str:
    return f"{place or 'the value'} is {repr(value)[:_LONGEST_SHOWN]}, not {expected}"
