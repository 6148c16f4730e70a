"""Cowherd's Python side: what only the interpreter's own process can do.

Importing this package must stay cheap, because the keeper imports it too: the one name it
exports, `prepare`, is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cowherd_agent.prepare import prepare

__all__ = ["__version__", "prepare"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "prepare":
        from cowherd_agent.prepare import prepare

        # The import above binds the submodule of the same name here: put the function in its place.
        globals()["prepare"] = prepare
        return prepare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
