"""Objects' referents that gc.get_referents() leaves out.

A type's traversal visits what can be part of a cycle. Among the objects that a large application
has many of, it leaves out:

- the keys of a dict that has only strings as keys (`dict_traverse`, Objects/dictobject.c);
- all referents of a code object (code_objects.py), and the ends of a range;
- the names of a type (`type_traverse`, Objects/typeobject.c), and everything of a static type,
  which the collector does not track; on 3.12+ most static types are immortal from the start, so a
  walk would end at them;
- the objects in numpy's arrays, which do not take part in garbage collection.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable
from itertools import chain, compress
from types import CodeType
from typing import Any

from cowherd_agent.interpreter import code_objects
from cowherd_agent.interpreter.by_type import ByType, is_kind_of, types_are_plain_keys
from cowherd_agent.interpreter.type_versions import all_types

Lister = Callable[[Any], Iterable[object]]

_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE (Include/object.h)."""

# Read through `type` itself, so that no metaclass of the application runs.
_flags_of = type.__dict__["__flags__"].__get__
_name_of = type.__dict__["__name__"].__get__
_qualname_of = type.__dict__["__qualname__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_mro_of = type.__dict__["__mro__"].__get__
_bases_of = type.__dict__["__bases__"].__get__


class HiddenReferents(dict[type, "Lister | None"]):
    """What lists the hidden referents of a type's instances, by type; filled as types are met.

    Types are compared through their method resolution order: isinstance() would ask an object for
    `__class__`, and so run application code.
    """

    def __init__(self) -> None:
        super().__init__()
        self._listers: list[tuple[type, Lister]] = [
            (dict, dict.keys),
            (CodeType, code_objects.referents()),
            (range, _range_ends),
        ]
        frozendict = getattr(builtins, "frozendict", None)
        if frozendict is not None:
            self._listers.append((frozendict, frozendict.keys))
        ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
        if isinstance(ndarray, type):
            self._listers.append((ndarray, _elements_of_arrays(ndarray)))
        # Types are faster keys than their addresses, where they can be keys.
        self._by_address = None if types_are_plain_keys() else ByType(self.lister_of)

    def __missing__(self, kind: type) -> Lister | None:
        lister = self[kind] = self.lister_of(kind)
        return lister

    def lister_of(self, kind: type) -> Lister | None:
        return next(
            (lister for base, lister in self._listers if is_kind_of(kind, base)),
            None,
        )

    def of(self, objects: list[object]) -> list[object]:
        found: list[object] = []
        listers = list(
            map(self.__getitem__, map(type, objects))
            if self._by_address is None
            else self._by_address.of_each(objects)
        )
        for lister, item in compress(zip(listers, objects, strict=True), listers):
            found += lister(item)  # type: ignore[misc]
        return found


def _range_ends(item: range) -> tuple[int, int, int]:
    return item.start, item.stop, item.step


def _elements_of_arrays(ndarray: Any) -> Lister:
    """The objects in an array, or in the fields of an array of records. `flat` gives the stored
    objects themselves, without a copy of the array.

    All attributes are read through `ndarray` itself, so that no code of a derived class runs.
    """
    type_of, flat_of, view = ndarray.dtype.__get__, ndarray.flat.__get__, ndarray.view

    def elements(array: Any) -> Iterable[object]:
        dtype = type_of(array)
        if dtype.char == "O":
            return flat_of(array)  # type: ignore[no-any-return]
        if not dtype.hasobject or dtype.names is None:
            return ()
        plain = view(array, ndarray)
        return chain.from_iterable(elements(plain[name]) for name in dtype.names)

    return elements


def of_all_types() -> list[object]:
    """The names of all types, and the static types themselves with their contents."""
    found: list[object] = []
    for cls in all_types():
        found += of_type(cls)
        if not _flags_of(cls) & _HEAP_TYPE:
            found.append(cls)
    return found


def of_type(cls: type) -> list[object]:
    """The names of a type; for a static type also its contents."""
    found: list[object] = [_name_of(cls), _qualname_of(cls)]
    if not _flags_of(cls) & _HEAP_TYPE:
        namespace = _namespace_of(cls)
        found += (_mro_of(cls), _bases_of(cls))
        found += namespace.keys()
        found += namespace.values()
    return found
