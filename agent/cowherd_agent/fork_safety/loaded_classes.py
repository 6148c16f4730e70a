"""Classes of libraries, looked up without importing any."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from cowherd_agent.fork_safety.foreign_modules import is_module, namespace_of
from cowherd_agent.interpreter.by_type import is_kind_of


def loaded_classes(names: Iterable[tuple[str, str]]) -> list[type]:
    """The classes with these names in modules that the application has imported."""
    found: list[Any] = []
    for module_name, name in names:
        module = sys.modules.get(module_name)
        # Not getattr: a lazy module would load, and another object may raise.
        kind = namespace_of(module).get(name) if is_module(module) else None
        if is_kind_of(type(kind), type):
            found.append(kind)
    return found
