"""Finds the Python objects behind something that was found in the kernel, and their holders.

`gc.get_referrers` goes through the heap without writing to the objects it passes, and finds the
instances of a class, since each refers to it (Objects/typeobject.c, subtype_traverse, 3.9 and
newer). A pass takes a tenth of a second per million objects. So there is no pass unless something
was found, one pass for all classes, and further ones only while time is left.

No application code runs: types are compared by identity, since a metaclass may compare or hash as
it likes, and attributes are read from where the interpreter keeps them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from types import FrameType, GetSetDescriptorType
from typing import Any, NamedTuple

from cowherd_agent.fork_safety.foreign_modules import is_module, namespace_of
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.by_type import is_kind_of

BUDGET_SECONDS = 0.6
"""For all passes together; the first one is always made."""

_CONTAINERS = (dict, list, tuple, set)

_MOST_LINKS = 12
"""How many links a holder is followed."""

_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE (Include/object.h)."""

_flags_of = type.__dict__["__flags__"].__get__
_mro_of = type.__dict__["__mro__"].__get__
_namespace_of_type = type.__dict__["__dict__"].__get__
_module_of_type = type.__dict__["__module__"].__get__
_qualname_of_type = type.__dict__["__qualname__"].__get__


class Holder(NamedTuple):
    """Who holds a thing.

    Attributes:
        kind: the class of the nearest object that has it as an attribute, as `module.Class`; empty
            where a module has it.
        place: the module and the attributes that lead there, such as `shop.cache.client.pool`;
            empty if none was found in time.
    """

    kind: str
    place: str

    @property
    def words(self) -> str:
        if not self.kind:
            return f"in {self.place}"
        return f"of {self.kind} in {self.place}" if self.place else f"of {self.kind}"


class _Link(NamedTuple):
    """A link from a thing to its referrer; `word` leads back, such as `.pool` or `[…]`."""

    holder: object
    word: str


class HeapSearch:
    """Finds instances of `classes`, and their holders."""

    def __init__(self, classes: Iterable[type]) -> None:
        wanted: dict[int, type] = {}
        pending = list(classes)
        while pending:
            kind = pending.pop()
            if id(kind) not in wanted:
                wanted[id(kind)] = kind
                pending += type.__subclasses__(kind)
        self._spent_seconds = 0.0
        self._pass_seconds = 0.0
        self._is_frozen = bool(wanted) and gc.get_freeze_count() > 0
        self._found = [
            each for each in self._referrers(list(wanted.values())) if id(type(each)) in wanted
        ]
        static = [kind for kind in wanted.values() if not _flags_of(kind) & _HEAP_TYPE]
        if static:
            self._found += self._instances_of_static(static)

    def instances_of(self, classes: Sequence[type]) -> list[Any]:
        """Instances of these classes or their subclasses, out of those given at the start."""
        return [
            each for each in self._found if any(is_kind_of(type(each), kind) for kind in classes)
        ]

    def holders_of(self, things: Sequence[object]) -> dict[int, Holder]:
        """The holder of each thing, by the thing's `id`; things without a known holder are
        absent.
        """
        links: dict[int, list[_Link]] = {}
        level = list(things)
        met = {id(each) for each in things}
        passed = {id(things), id(self._found)}
        for _ in range(_MOST_LINKS):
            sought = {id(each) for each in level}
            passed.add(id(level))
            further: list[object] = []
            for found in self._referrers(level):
                if id(found) in passed or _is_own(found):
                    continue
                words = _words_to(found, sought)
                for key, word in words:
                    links.setdefault(key, []).append(_Link(found, word))
                if words and id(found) not in met and not _is_namespace(found):
                    met.add(id(found))
                    further.append(found)
            holders = {id(each): _shortest(each, links) for each in things}
            if not further or all(holder and holder.place for holder in holders.values()):
                break
            level = further
        return {key: holder for key, holder in holders.items() if holder is not None}

    @contextmanager
    def _unfrozen(self) -> Iterator[None]:
        """Unfreezes the heap for a while: the collector does not look at objects that a mold has
        frozen. Unfreezing and freezing only splices lists (gc_list_merge, Python/gc.c)."""
        if self._is_frozen:
            rawgc.unfreeze()
        try:
            yield
        finally:
            if self._is_frozen:
                rawgc.freeze()

    def _instances_of_static(self, kinds: Sequence[type]) -> list[Any]:
        """Instances do not refer to a static type, so all objects are looked at."""
        with self._unfrozen():
            tracked = rawgc.get_objects()
        addresses = {id(kind) for kind in kinds}
        is_wanted = map(addresses.__contains__, map(id, map(type, tracked)))
        return list(compress(tracked, is_wanted))

    def _referrers(self, things: Sequence[object]) -> list[Any]:
        if not things or self._spent_seconds + self._pass_seconds > BUDGET_SECONDS:
            return []
        started = time.perf_counter()
        with self._unfrozen():
            found = gc.get_referrers(*things)
        self._pass_seconds = time.perf_counter() - started
        self._spent_seconds += self._pass_seconds
        return found


def _shortest(thing: object, links: dict[int, list[_Link]]) -> Holder | None:
    """The shortest path from a module to the thing; else the nearest class that has it."""
    nearest = ""
    # The reached object, the path from there to the thing, and the first class on that path.
    level: list[tuple[object, str, str]] = [(thing, "", "")]
    met: set[int] = set()
    while level:
        further: list[tuple[object, str, str]] = []
        for reached, way, kind in level:
            for holder, word in links.get(id(reached), ()):
                if _is_namespace(holder):
                    return Holder(kind, f"{_module_name(holder)}{word}{way}")
                if id(holder) in met:
                    continue
                met.add(id(holder))
                is_named = type(holder) not in _CONTAINERS
                first = kind or (kind_name(type(holder)) if is_named else "")
                nearest = nearest or first
                further.append((holder, f"{word}{way}", first))
        level = further
    return Holder(nearest, "") if nearest else None


def kind_name(kind: type) -> str:
    """`module.Class`, without asking a metaclass."""
    try:
        module = _module_of_type(kind)
        return f"{module}.{_qualname_of_type(kind)}" if type(module) is str else "?"
    except AttributeError:
        return "?"


def _is_own(found: object) -> bool:
    """Objects of this search itself, and objects that can't be holders."""
    kind = type(found)
    return kind is _Link or is_kind_of(kind, FrameType) or is_kind_of(kind, type)


def _is_namespace(found: object) -> bool:
    """Whether it is a module, or a module's variables."""
    if type(found) is dict:
        return "__spec__" in found and "__name__" in found
    return is_module(found)


def _module_name(found: Any) -> str:
    namespace = found if type(found) is dict else namespace_of(found)
    name = namespace.get("__name__")
    return name if type(name) is str else "?"


def _words_to(found: object, sought: set[int]) -> list[tuple[int, str]]:
    """For each sought thing that `found` refers to: its id, and the word that leads to it."""
    if type(found) is dict:
        # A dict is written with dots: it may hold a module's names or an object's attributes. An
        # ordinary dict's keys may get dots too, since the dict's owner is seen only a link later.
        return [
            (id(value), f".{key}" if type(key) is str else "[…]")
            # A copy: a thread of the application may change the dict meanwhile.
            for key, value in list(found.items())
            if id(value) in sought
        ]
    if type(found) in _CONTAINERS:
        return [(id(each), "[…]") for each in gc.get_referents(found) if id(each) in sought]
    attributes = _attributes_of(found)
    words = [
        (id(value), f".{name}") for name, value in list(attributes.items()) if id(value) in sought
    ]
    if words:
        return words
    # Its attributes' dict, or a referent without a name: a slot, an argument of a partial.
    return [(id(each), "") for each in gc.get_referents(found) if id(each) in sought]


def _attributes_of(thing: object) -> dict[str, Any]:
    """The instance's attributes, by the interpreter's own descriptor; a class may define one
    too.
    """
    for kind in _mro_of(type(thing)):
        descriptor = _namespace_of_type(kind).get("__dict__")
        if type(descriptor) is GetSetDescriptorType:
            try:
                attributes = descriptor.__get__(thing)
            except (AttributeError, TypeError):
                return {}
            return attributes if type(attributes) is dict else {}
    return {}
