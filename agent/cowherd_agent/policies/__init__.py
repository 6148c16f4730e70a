"""The heap policies, each in its own file."""

from __future__ import annotations

from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.policies.base import HeapPolicy
from cowherd_agent.policies.freeze import Freeze
from cowherd_agent.policies.immortal import Immortal
from cowherd_agent.policies.instagram import Instagram
from cowherd_agent.policies.stock import Stock

__all__ = ["HeapPolicy", "make"]

_CLASSES: dict[str, type[HeapPolicy]] = {
    "stock": Stock,
    "instagram": Instagram,
    "freeze": Freeze,
    "immortal": Immortal,
}


def make(name: str) -> HeapPolicy:
    """The policy with that name (a resolved one: not "auto"). Raises PolicyUnavailable."""
    try:
        return _CLASSES[name]()
    except KeyError:
        raise PolicyUnavailable(name, "there is no such policy", tuple(_CLASSES)) from None
