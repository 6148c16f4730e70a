"""Hashes that objects keep, computed before the fork.

str, bytes and frozenset store their hash at its first use (Objects/unicodeobject.c,
bytesobject.c, setobject.c), and from 3.14 on tuple does too (`ob_hash`, Objects/tupleobject.c).
In a worker that first use would write the object, and copy its page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import compress
from typing import Any

TUPLES_KEEP_HASHES = sys.version_info >= (3, 14)

_LEAVES: frozenset[type] = frozenset(
    {str, bytes, int, float, complex, bool, type(None), type(Ellipsis), type}
)
"""Types whose hash runs no code of the application's and never fails."""

_MAX_DEPTH = 4


class Hasher(dict[type, "Callable[[Any], Any] | None"]):
    """By type, what computes the hash that its instances keep; filled as types are met.

    Subclasses are hashed by the builtin type's own function: it stores the hash, and a subclass's
    `__hash__` would be the application's code. Containers are hashed only if they hold nothing but
    plain values.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hashers: list[tuple[type, Callable[[Any], Any]]] = [
            (str, str.__hash__),
            (bytes, bytes.__hash__),
            (frozenset, _hash_frozenset),
        ]
        if TUPLES_KEEP_HASHES:
            self._hashers.append((tuple, _hash_tuple))

    def __missing__(self, kind: type) -> Callable[[Any], Any] | None:
        mro = type.__dict__["__mro__"].__get__(kind)
        hasher = next((hasher for base, hasher in self._hashers if base in mro), None)
        self[kind] = hasher
        return hasher

    def compute(self, objects: list[object]) -> int:
        """Compute the hashes that `objects` would keep; return for how many that was tried."""
        done = 0
        hashers = list(map(self.__getitem__, map(type, objects)))
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
        if kind in _LEAVES:
            continue
        if depth == 0 or (kind is not tuple and kind is not frozenset):
            return False
        if not _is_plain(item, depth - 1):  # type: ignore[arg-type]
            return False
    return True
