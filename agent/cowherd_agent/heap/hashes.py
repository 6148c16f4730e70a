"""Hashes that objects keep, computed before the fork.

str, bytes and frozenset store their hash on first use (Objects/unicodeobject.c, bytesobject.c,
setobject.c), and from 3.14 on tuple does too (`ob_hash`, Objects/tupleobject.c). In a worker that
first use would write the object, and copy its page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import compress
from typing import Any

from cowherd_agent.interpreter.by_type import ByType, is_kind_of, types_are_plain_keys

TUPLES_KEEP_HASHES = sys.version_info >= (3, 14)

_LEAVES = frozenset(
    map(id, (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), type))
)
"""Addresses of the types whose hash runs no application code and never fails."""

_MAX_DEPTH = 4


class Hasher(dict[type, "Callable[[Any], Any] | None"]):
    """The function, by type, that computes the hash its instances keep; filled as types are met."""

    def __init__(self) -> None:
        super().__init__()
        self._hashers: list[tuple[type, Callable[[Any], Any]]] = [
            (str, str.__hash__),
            (bytes, bytes.__hash__),
            (frozenset, _hash_frozenset),
        ]
        if TUPLES_KEEP_HASHES:
            self._hashers.append((tuple, _hash_tuple))

        # Types are faster keys than their addresses, where they can be keys.
        self._by_address = None if types_are_plain_keys() else ByType(self.hasher_of)

    def __missing__(self, kind: type) -> Callable[[Any], Any] | None:
        hasher = self[kind] = self.hasher_of(kind)
        return hasher

    def hasher_of(self, kind: type) -> Callable[[Any], Any] | None:
        return next((hasher for base, hasher in self._hashers if is_kind_of(kind, base)), None)

    def compute(self, objects: list[object]) -> int:
        """Compute the hashes that `objects` would keep; return how many were tried."""
        done = 0
        hashers = list(
            map(self.__getitem__, map(type, objects))
            if self._by_address is None
            else self._by_address.of_each(objects)
        )
        for hasher, item in compress(zip(hashers, objects, strict=True), hashers):
            hasher(item)  # type: ignore[misc]
            done += 1
        return done


def _hash_tuple(item: tuple[object, ...]) -> None:
    if _is_plain(tuple.__iter__(item)):
        tuple.__hash__(item)


def _hash_frozenset(item: frozenset[object]) -> None:
    if _is_plain(frozenset.__iter__(item)):
        frozenset.__hash__(item)


def _is_plain(items: Iterable[object], depth: int = _MAX_DEPTH) -> bool:
    for item in items:
        kind = type(item)
        if id(kind) in _LEAVES:
            continue
        if depth == 0 or (kind is not tuple and kind is not frozenset):
            return False
        if not _is_plain(item, depth - 1):  # type: ignore[arg-type]
            return False
    return True
