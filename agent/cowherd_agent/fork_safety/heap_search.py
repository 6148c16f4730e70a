"""Which Python objects stand for something that was found in the kernel.

`gc.get_referrers` goes through the heap without writing to what it passes, and finds the instances
of a class, since each refers to it (Objects/typeobject.c, subtype_traverse, 3.9 and newer). A pass
takes a tenth of a second for each million objects: so there is none unless something was found, one
for all classes, and further ones only while there is time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any

from cowherd_agent.foreign_modules import is_module, namespace_of

BUDGET_SECONDS = 0.3
"""For all passes; the first one is always made."""

_CONTAINERS = (dict, list, tuple, set)


class HeapSearch:
    """Finds instances of `classes`, and what holds them."""

    def __init__(self, classes: Iterable[type]) -> None:
        wanted: list[type] = list(classes)
        for kind in wanted:
            subclasses: list[type] = type.__subclasses__(kind)
            wanted += [each for each in subclasses if each not in wanted]
        self._spent_seconds = 0.0
        self._pass_seconds = 0.0
        kinds = frozenset(wanted)
        self._found = [each for each in self._referrers(wanted) if type(each) in kinds]

    def instances_of(self, classes: Sequence[type]) -> list[Any]:
        """Of these classes, or of subclasses, all of which were among those asked for."""
        return [each for each in self._found if issubclass(type(each), tuple(classes))]

    def holders_of(self, things: Sequence[object]) -> dict[int, str]:
        """What has each as an attribute or an item, in words: a class, or a module. By `id`."""
        holders: dict[int, str] = {}
        # A dict or a list on the way is an object's attributes, or a pool's content.
        level: dict[int, tuple[object, int]] = {id(each): (each, id(each)) for each in things}
        passed = {id(things), id(self._found), id(level)}
        while level:
            sought = [each for each, _ in level.values()]
            passed.update(level, (id(sought),))
            further: dict[int, tuple[object, int]] = {}
            for found in self._referrers(sought):
                if id(found) in passed or isinstance(found, (FrameType, type)):
                    continue
                name = _name_of(found)
                for referent in gc.get_referents(found):
                    if id(referent) not in level or level[id(referent)][1] in holders:
                        continue
                    origin = level[id(referent)][1]
                    if name is not None:
                        holders[origin] = name
                    elif not _is_own(found):
                        further[id(found)] = (found, origin)
            level = {key: value for key, value in further.items() if value[1] not in holders}
        return holders

    def _referrers(self, things: Sequence[object]) -> list[Any]:
        if not things or self._spent_seconds + self._pass_seconds > BUDGET_SECONDS:
            return []
        started = time.perf_counter()
        found = gc.get_referrers(*things)
        self._pass_seconds = time.perf_counter() - started
        self._spent_seconds += self._pass_seconds
        return found


def _is_own(found: object) -> bool:
    """The tuples in which this search keeps what it goes through."""
    return type(found) is tuple and len(found) == 2 and isinstance(found[1], int)


def _name_of(holder: object) -> str | None:
    if is_module(holder):
        return f"the module {namespace_of(holder).get('__name__')}"
    if type(holder) is dict and "__spec__" in holder and "__name__" in holder:
        return f"the module {holder['__name__']}"
    if type(holder) in _CONTAINERS:
        return None
    return f"{type(holder).__module__}.{type(holder).__qualname__}"
