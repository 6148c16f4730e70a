"""The modules of an application, gone through without running any of its code.

What an application puts into sys.modules need not be a module: cffi puts a library there that says
it is one by its `__class__`, and other objects raise when they are asked for an attribute, or load
something. So the type alone says what is a module, and its namespace is read where ModuleType
itself keeps it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, TypeGuard

from cowherd_agent.interpreter.by_type import is_kind_of

_namespace_of = type.__dict__["__dict__"].__get__(ModuleType)["__dict__"].__get__


def is_module(thing: object) -> TypeGuard[ModuleType]:
    """Whether it is a module or of a class derived from one, whatever it says itself."""
    return is_kind_of(type(thing), ModuleType)


def namespace_of(module: ModuleType) -> dict[str, Any]:
    """The module's variables; a lazy module (importlib.util.LazyLoader) does not load at this."""
    namespace = _namespace_of(module)
    # None, where a derived class has not called ModuleType's __new__ (Objects/moduleobject.c).
    return namespace if type(namespace) is dict else {}


def loaded_modules() -> list[tuple[str, ModuleType]]:
    """Each module of sys.modules with its name there, in the order of its entry. A module with two
    names is given twice."""
    return [
        (name, module)
        for name, module in list(sys.modules.items())
        if type(name) is str and is_module(module)
    ]
