"""Type version tags, assigned before the fork.

The first lookup of an attribute through a type assigns the type's version tag (`tp_version_tag`,
and `Py_TPFLAGS_VALID_VERSION_TAG` in `tp_flags`; Objects/typeobject.c), so that the method cache
and the specialized bytecode can use it. In a worker that write would copy the page of the type.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator

_NO_SUCH_NAME = "_cowherd_no_such_name_"


def all_types() -> Iterator[type]:
    """Every class: `object` and, through the lists that types keep, all classes below it.

    `type.__subclasses__` is called on `type` itself, so that no metaclass of the application runs.
    """
    seen: set[int] = set()
    stack: list[type] = [object]
    while stack:
        cls = stack.pop()
        if id(cls) in seen:
            continue
        seen.add(id(cls))
        yield cls
        try:
            stack.extend(type.__subclasses__(cls))
        except TypeError:
            continue


def assign() -> int:
    """Assign a version tag to every type; return the number of types tagged."""
    assign_one = _assigner()
    return sum(1 for cls in all_types() if assign_one(cls))


def _assigner() -> Callable[[type], bool]:
    if sys.version_info >= (3, 12):
        try:
            unstable = ctypes.pythonapi.PyUnstable_Type_AssignVersionTag
        except AttributeError:
            return _assign_by_lookup
        unstable.argtypes = [ctypes.py_object]
        unstable.restype = ctypes.c_int
        return lambda cls: bool(unstable(cls))
    return _assign_by_lookup


def _assign_by_lookup(cls: type) -> bool:
    """Look up a name that no class has, through `type`'s own slot, which runs no `__getattr__`."""
    try:
        type.__getattribute__(cls, _NO_SUCH_NAME)
    except AttributeError:
        return True
    except Exception:
        return False
    return True
