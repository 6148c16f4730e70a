"""Facts about objects by their type, safe for an application's types.

A metaclass may define `__eq__` or `__hash__`. As a dict key, or in a comparison, its class would
run that code, or be refused as unhashable. So types are identified here by address, which takes a
little longer.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cowherd_agent.interpreter.type_versions import all_types

Value = TypeVar("Value")

_mro_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__


class ByType(dict[int, Value]):
    """The result of `find` by the address of a type; computed when a type is met first."""

    def __init__(self, find: Callable[[type], Value]) -> None:
        super().__init__()
        self._find = find
        # Kept alive, so that no other type can get one of the addresses.
        self._types: list[type] = []

    def __missing__(self, address: int) -> Value:
        kind: type = ctypes.cast(address, ctypes.py_object).value
        self._types.append(kind)
        found = self[address] = self._find(kind)
        return found

    def of_each(self, objects: Iterable[object]) -> Iterator[Value]:
        """The value for each object, at the speed of C."""
        return map(self.__getitem__, map(id, map(type, objects)))

    def clear(self) -> None:
        super().clear()
        self._types.clear()


def types_are_plain_keys() -> bool:
    """Whether no metaclass defines `__eq__` or `__hash__`, so that any type may be a dict's key."""
    metaclasses = {id(meta): meta for meta in map(type, all_types())}
    for meta in metaclasses.values():
        for each in _mro_of(meta):
            if each is type:
                break
            names = _namespace_of(each)
            if "__eq__" in names or "__hash__" in names:
                return False
    return True


def is_kind_of(kind: type, base: type) -> bool:
    """Whether `kind` is `base` or derived from it; issubclass() would ask its metaclass."""
    return any(each is base for each in _mro_of(kind))
