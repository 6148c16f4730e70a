"""How a client library's connections are closed so that they come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cowherd_agent.fork_safety.loaded_classes import loaded_classes


class Recipe(NamedTuple):
    """
    Attributes:
        what: what is closed, in words.
        classes: the classes to look for, as module and name; derived classes count.
        close: closes what one instance has open, by the library's public means, in a way that the
            next use opens it again; returns whether there was something it could close.
    """

    what: str
    classes: tuple[tuple[str, str], ...]
    close: Callable[[Any], bool]

    def loaded_classes(self) -> list[type]:
        """The classes whose modules the application has imported."""
        return loaded_classes(self.classes)
