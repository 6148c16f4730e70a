"""The referents of a code object.

Code objects are not tracked by the collector on GIL builds, and gc.get_referents() gives nothing
for them; the interpreter reads their constants, names and tables at every call, line and exception.
Most of these are attributes. `co_localsplusnames` and `co_localspluskinds` have no attribute, and
asking for `co_varnames` would create and cache a tuple. So these two are read from the object
itself.

The offsets are those of `struct PyCodeObject` (Include/cpython/code.h), the same in 3.12 to 3.15.
They are used only if the fields around them are found where they are expected.
"""

from __future__ import annotations

import ctypes
import operator
import sys
from collections.abc import Callable
from types import CodeType

_KNOWN_OFFSETS = {
    "co_consts": 24,
    "co_names": 32,
    "co_exceptiontable": 40,
    "co_filename": 112,
    "co_name": 120,
    "co_qualname": 128,
    "co_linetable": 136,
}
_LOCALSPLUSNAMES = 96
_LOCALSPLUSKINDS = 104

Referents = Callable[[CodeType], list[object]]


def referents() -> Referents:
    """Returns a function that lists a code object's referents, as completely as possible."""
    return _all_referents if _layout_is_known() else _attribute_referents


# co_exceptiontable and co_qualname came with 3.11.
_attributes: Callable[[CodeType], tuple[object, ...]] = operator.attrgetter(
    *(name for name in _KNOWN_OFFSETS if hasattr(CodeType, name))
)


def _attribute_referents(code: CodeType) -> list[object]:
    return list(_attributes(code))


def _all_referents(code: CodeType) -> list[object]:
    address = id(code)
    return [
        *_attributes(code),
        _object_at(address + _LOCALSPLUSNAMES),
        _object_at(address + _LOCALSPLUSKINDS),
    ]


_pointer_at = ctypes.py_object.from_address


def _object_at(address: int) -> object:
    return _pointer_at(address).value


def _layout_is_known() -> bool:
    """Compares a code object's fields with its attributes, before any unknown pointer is used."""

    def sample(first: int, *rest: int, **named: int) -> Callable[[], int]:
        return lambda: first + len(rest) + len(named)

    code = sample.__code__
    if sys.version_info < (3, 12):
        return False
    for name, offset in _KNOWN_OFFSETS.items():
        if ctypes.c_void_p.from_address(id(code) + offset).value != id(getattr(code, name)):
            return False
    names = _object_at(id(code) + _LOCALSPLUSNAMES)
    kinds = _object_at(id(code) + _LOCALSPLUSKINDS)
    return names == ("first", "rest", "named") and isinstance(kinds, bytes) and len(kinds) == 3
