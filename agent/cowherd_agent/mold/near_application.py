"""Guesses the application that somebody meant who named one that its module does not have."""

from __future__ import annotations

import difflib
import inspect
import sys

# The usual names in frameworks and their manuals.
_USUAL_NAMES = ("app", "application", "api", "wsgi", "asgi")


def nearest_application(uri: str) -> str | None:
    """``shop:app`` for ``shop:application``, if the module has such a callable."""
    module_name, _, expression = uri.partition(":")
    module = sys.modules.get(module_name)
    if module is None:
        return None
    wanted = expression.split("(", 1)[0] or "application"
    callables = [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and not inspect.isclass(value)
    ]
    near = difflib.get_close_matches(wanted, callables, n=1)
    usual = [name for name in _USUAL_NAMES if name in callables]
    found = [*near, *usual]
    return f"{module_name}:{found[0]}" if found else None
