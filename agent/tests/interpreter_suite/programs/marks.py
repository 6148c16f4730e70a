"""marks.py: which objects of each kind the walk reaches, by their reference counts."""

from __future__ import annotations

import ctypes
import datetime
import enum
import functools
import re
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

from cowherd_agent.heap import immortality
from herdlike import finish


def fresh(text: str) -> str:
    """A string that nobody has interned."""
    return "".join([text, "!"])


class Point(NamedTuple):
    x: float
    name: str


@dataclass
class Item:
    name: str
    parts: list[str]


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value


class Shade(str):
    """A string subclass of the application."""


class Color(enum.Enum):
    RED = "a red"


@functools.cache
def cached(key: str) -> str:
    return fresh(key)


DEFAULT = fresh("default")
KEYWORD = fresh("keyword")


def make_function():  # type: ignore[no-untyped-def]
    captured = fresh("closure")

    def function(argument=DEFAULT, *, option=KEYWORD):  # type: ignore[no-untyped-def]
        """A docstring that no other function has."""
        local_variable_of_ours = argument
        return (captured, 98_765_432_1, b"constant bytes", local_variable_of_ours, option)

    return function


cached(fresh("lru"))
function = make_function()
made = type(fresh("MadeType"), (), {"attribute": fresh("class attribute")})
heap = {
    "key of a plain dict": {fresh("plain key"): 1},
    "nested untracked": {"a": {"b": (fresh("in a tuple"), (12_345.5, fresh("deeper")))}},
    "defaultdict": defaultdict(list, {fresh("default key"): [fresh("in a list")]}),
    "ordered": OrderedDict({fresh("ordered key"): fresh("ordered value")}),
    "set": {fresh("in a set")},
    "frozenset": frozenset({fresh("in a frozenset")}),
    "range": range(1_000_001, 2_000_002, 1_003),
    "named tuple": Point(5.25, fresh("in a named tuple")),
    "dataclass": Item(fresh("name"), [fresh("part")]),
    "slotted": Slotted(fresh("in a slot")),
    "namespace": SimpleNamespace(value=fresh("in a namespace")),
    "proxy": MappingProxyType({fresh("proxied"): 1}),
    "partial": functools.partial(print, fresh("in a partial")),
    "pattern": re.compile(fresh("a.pattern")),
    "shade": Shade("a shade"),
    "big": 1 << 200,
    "bytes": bytes([1, 2, 3]) * 20,
    "bytearray": bytearray(50),
    "date": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    "class": made,
    "function": function,
    "color": Color,
}


def count(item: object) -> int:
    return ctypes.c_uint32.from_address(id(item)).value


code = function.__code__
named = {
    "a dict's key": next(iter(heap["key of a plain dict"])),
    "in a nested tuple": heap["nested untracked"]["a"]["b"][1][1],
    "a float in it": heap["nested untracked"]["a"]["b"][1][0],
    "a defaultdict's key": next(iter(heap["defaultdict"])),
    "in a defaultdict": next(iter(heap["defaultdict"].values()))[0],
    "an OrderedDict's key": next(iter(heap["ordered"])),
    "in a set": next(iter(heap["set"])),
    "in a frozenset": next(iter(heap["frozenset"])),
    "a range": heap["range"],
    "a range's end": heap["range"].stop,
    "a named tuple": heap["named tuple"],
    "in a named tuple": heap["named tuple"].name,
    "in a dataclass": heap["dataclass"].parts[0],
    "in a slot": heap["slotted"].value,
    "in a namespace": heap["namespace"].value,
    "a proxied key": next(iter(heap["proxy"])),
    "in a partial": heap["partial"].args[0],
    "a pattern": heap["pattern"],
    "a str subclass": heap["shade"],
    "a large int": heap["big"],
    "bytes": heap["bytes"],
    "a bytearray": heap["bytearray"],
    "a datetime": heap["date"],
    "a class": made,
    "a class's name": made.__name__,
    "a class's attribute": made.attribute,
    "a code object": code,
    "a code's constants": code.co_consts,
    "a constant": next(c for c in code.co_consts if c == 98_765_432_1),
    "constant bytes": next(c for c in code.co_consts if type(c) is bytes),
    "a line table": code.co_linetable,
    "names": code.co_names,
    "a file name": code.co_filename,
    "a default": function.__defaults__[0],
    "a keyword default": function.__kwdefaults__["option"],
    "a closure's cell": function.__closure__[0],
    "in a closure": function.__closure__[0].cell_contents,
    "a docstring": function.__doc__,
    "in an lru_cache": cached("lru!"),
    "an enum's value": Color.RED.value,
    "a static type": datetime.datetime,
    "a builtin": len,
    "a module": sys,
}
before = {name: count(item) for name, item in named.items()}
report = immortality.immortalize()
after = {name: count(item) for name, item in named.items()}
again = immortality.immortalize()
limit = 0xC0000000
finish(
    {
        "mortal": sorted(name for name in named if after[name] < limit),
        "were_immortal": sorted(name for name in named if before[name] >= limit),
        "objects": report.counts["objects"],
        "objects_again": again.counts["objects"],
    }
)
