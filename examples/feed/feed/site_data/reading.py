"""Read everything that was loaded at import, each reference once."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

LEAVES = frozenset({str, int, float, bool, type(None)})


def read_all(root: object) -> int:
    """Walk from the root to the leaves, and return the number of objects met. An object with two
    references counts twice.

    Reading an object writes its reference count, as any use of it would. No set of seen objects is
    kept: two million ids would be a large part of the memory that a benchmark measures.
    """
    met = 1
    waiting: list[Iterable[object]] = [(root,)]
    while waiting:
        for value in waiting.pop():
            kind = type(value)
            if kind in LEAVES:
                continue
            if kind is dict:
                met += 2 * len(value)  # type: ignore[arg-type]
                waiting.append(value.keys())  # type: ignore[attr-defined]
                waiting.append(value.values())  # type: ignore[attr-defined]
            elif kind is list or kind is tuple:
                met += len(value)  # type: ignore[arg-type]
                waiting.append(value)  # type: ignore[arg-type]
            else:
                fields = READERS.get(kind) or reader_of(kind)
                values = fields(value)
                met += len(values)
                waiting.append(values)
    return met


READERS: dict[type, attrgetter[tuple[object, ...]]] = {}


def reader_of(kind: type) -> attrgetter[tuple[object, ...]]:
    """A getter of the attributes that the class's `__init__` sets from arguments of the same name.

    Reading the `__dict__` of an instance would create one, which is a write.
    """
    code = kind.__init__.__code__  # type: ignore[misc]
    reader = READERS[kind] = attrgetter(*code.co_varnames[1 : code.co_argcount])
    return reader
