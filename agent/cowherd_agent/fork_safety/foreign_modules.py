"""The modules of an application, listed without running any of its code.

An entry of sys.modules need not be a module. cffi puts a library there that claims to be one by its
`__class__`; other objects raise when asked for an attribute, or load something. So the type alone
decides what is a module, and its namespace is read where ModuleType itself keeps it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, TypeGuard

from cowherd_agent.interpreter.by_type import is_kind_of

_namespace_of = type.__dict__["__dict__"].__get__(ModuleType)["__dict__"].__get__


def is_module(thing: object) -> TypeGuard[ModuleType]:
    """Whether `thing` is of ModuleType or a class derived from it, whatever its `__class__`."""
    return is_kind_of(type(thing), ModuleType)


def namespace_of(module: ModuleType) -> dict[str, Any]:
    """The module's variables. Does not make a lazy module load (importlib.util.LazyLoader)."""
    namespace = _namespace_of(module)
    # None if a derived class has not called ModuleType's __new__ (Objects/moduleobject.c).
    return namespace if type(namespace) is dict else {}


def loaded_modules() -> list[tuple[str, ModuleType]]:
    """Each module of sys.modules with its name there, in the order of the entries. A module with
    two names appears twice."""
    return [
        (name, module)
        for name, module in list(sys.modules.items())
        if type(name) is str and is_module(module)
    ]
