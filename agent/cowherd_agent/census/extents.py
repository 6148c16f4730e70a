"""Where in memory an object lies, by its type.

An object's memory begins before its id: the collector's header stands there, and before that, where
the interpreter manages an instance's attributes or weak references, two more words
(`_PyType_PreHeaderSize`, Include/internal/pycore_object.h, 3.11+). After the id come `tp_basicsize`
bytes and, in some types, items; from 3.13 on also the values of an instance's attributes
(`Py_TPFLAGS_INLINE_VALUES`), which sys.getsizeof leaves out.

An object's table is what it keeps elsewhere: a dict's keys and values, a list's pointers, a set's
entries, in 3.11 and 3.12 the values of an instance's attributes, and a class's names of attributes
that its instances share (PEP 412). Tables are reported only where a self-test has found the
expected layout.

Nothing here runs application code: no `__sizeof__` of a Python class is called.
"""

from __future__ import annotations

import bisect
import sys
from collections.abc import Callable
from types import MethodDescriptorType
from typing import Any, NamedTuple

from cowherd_agent.interpreter.addresses import byte_view
from cowherd_agent.interpreter.by_type import is_kind_of
from cowherd_agent.interpreter.hidden_referents import HiddenReferents

_VERSION = sys.version_info[:2]
_KNOWN = (3, 10) <= _VERSION <= (3, 15)

# Include/object.h, Py_TPFLAGS_…; the first three have no meaning before the versions given.
_INLINE_VALUES = 1 << 2 if _VERSION >= (3, 13) else 0
_PRE_HEADER = 1 << 3 | 1 << 4 if _VERSION >= (3, 12) else 1 << 4 if _VERSION >= (3, 11) else 0
_MANAGED_DICT = 1 << 4 if _VERSION >= (3, 11) else 0
_HAVE_GC = 1 << 14

_GC_HEAD_BYTES = 16
_PRE_HEADER_BYTES = 16

# Words from an object's id: PyDictObject and PyListObject (Include/cpython/dictobject.h,
# listobject.h), PySetObject (Include/cpython/setobject.h), the same in 3.10 to 3.15.
_DICT_KEYS, _DICT_VALUES = 4, 5
_LIST_ITEMS = 3
_SET_TABLE = 5

# Objects/obmalloc.c, Include/internal/pycore_obmalloc.h: see src/cpython/pymalloc.ts.
_POOL_BYTES = 1 << 14
_POOL_MASK = _POOL_BYTES - 1
_SIZE_CLASSES = 32

_flags = type.__dict__["__flags__"].__get__
_basic_bytes: Callable[[type], int] = type.__dict__["__basicsize__"].__get__
_item_bytes = type.__dict__["__itemsize__"].__get__
_mro = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__

KEYS = "(keys of dicts)"
NO_OBJECT = "(memory of no object)"
"""Names of table owners; src/forensics/owners/owner-name.ts has the same."""

Place = tuple[int, int]
"""An address and a number of bytes; 0 bytes if there is no table."""


class Shape(NamedTuple):
    """
    Attributes:
        prefix_bytes: from the first byte of an object's memory to its id.
        size_bytes: an object's size with its prefix; 0 where objects of the type differ.
        measure: returns the bytes after the prefix, where objects differ.
        table: returns where an object's table lies; None for types that have none.
        table_name: what that memory is called.
        leads_on: whether objects of the type may refer to others.
    """

    prefix_bytes: int
    size_bytes: int
    measure: Callable[[Any], int]
    table: Callable[[Any], Place] | None
    table_name: str
    leads_on: bool


class Extents:
    """The shapes of types in this process's interpreter."""

    def __init__(self, hidden: HiddenReferents) -> None:
        self._hidden = hidden
        self._words = byte_view().cast("Q")
        self._blocks = _Blocks()
        self._knows_tables = _KNOWN and self._self_test()
        self._class_keys_at = self._find_class_keys() if self._knows_tables else None

    def of(self, kind: type) -> Shape:
        flags = _flags(kind)
        prefix = (_GC_HEAD_BYTES if flags & _HAVE_GC else 0) + (
            _PRE_HEADER_BYTES if flags & _PRE_HEADER else 0
        )
        size, measure = self._size(kind, flags, prefix)
        table, name = self._table(kind, flags, prefix)
        leads_on = (
            bool(flags & _HAVE_GC)
            or is_kind_of(kind, type)
            or self._hidden.lister_of(kind) is not None
        )
        return Shape(prefix, size, measure, table, name, leads_on)

    def _size(self, kind: type, flags: int, prefix: int) -> tuple[int, Callable[[Any], int]]:
        if kind is str:
            return 0, str.__sizeof__
        if is_kind_of(kind, type):
            # type.__sizeof__ would add the keys that instances share.
            return 0, object.__sizeof__
        if _item_bytes(kind):
            return 0, _measure_of(_mro(kind))
        size = prefix + _basic_bytes(kind)
        if flags & _INLINE_VALUES:
            blocks = self._blocks

            def measure(item: object) -> int:
                in_block: int = blocks[id(item) - prefix & ~_POOL_MASK]
                return max(size, in_block) - prefix

            return 0, measure
        return size, object.__sizeof__

    def _table(
        self, kind: type, flags: int, prefix: int
    ) -> tuple[Callable[[Any], Place] | None, str]:
        if not self._knows_tables:
            return None, ""
        basic = _basic_bytes(kind)
        if is_kind_of(kind, dict):
            return self._dict_table(basic), KEYS
        if is_kind_of(kind, type):
            return self._class_table(), KEYS
        if is_kind_of(kind, list):
            return self._list_table(basic), NO_OBJECT
        for base in (set, frozenset):
            if is_kind_of(kind, base):
                return self._set_table(base.__sizeof__, basic), NO_OBJECT
        if flags & _MANAGED_DICT and _VERSION <= (3, 12):
            return self._values_table(prefix), NO_OBJECT
        return None, ""

    def _dict_table(self, basic: int) -> Callable[[Any], Place]:
        words, sizeof = self._words, dict.__sizeof__
        has_inline_values = _INLINE_VALUES != 0

        def table(item: Any) -> Place:
            # Zero for keys shared with other dicts, and for those of every empty dict.
            size = sizeof(item) - basic
            if not size:
                return 0, 0
            word = id(item) >> 3
            values = words[word + _DICT_VALUES]
            if not values:
                return words[word + _DICT_KEYS], size
            # Inline values lie in the instance, which counts them itself.
            return values, 0 if has_inline_values else size

        return table

    def _list_table(self, basic: int) -> Callable[[Any], Place]:
        words, sizeof = self._words, list.__sizeof__

        def table(item: Any) -> Place:
            return words[(id(item) >> 3) + _LIST_ITEMS], sizeof(item) - basic

        return table

    def _set_table(self, sizeof: Callable[[Any], int], basic: int) -> Callable[[Any], Place]:
        words = self._words

        def table(item: Any) -> Place:
            return words[(id(item) >> 3) + _SET_TABLE], sizeof(item) - basic

        return table

    def _class_table(self) -> Callable[[Any], Place] | None:
        """Table of a class: `ht_cached_keys` (Include/cpython/object.h), whose size type.__sizeof__
        adds (Objects/typeobject.c, type___sizeof___impl)."""
        words, at = self._words, self._class_keys_at
        with_keys, without = type.__sizeof__, object.__sizeof__
        if at is None:
            return None

        def table(item: Any) -> Place:
            size = with_keys(item) - without(item)
            return (words[(id(item) >> 3) + at], size) if size > 0 else (0, 0)

        return table

    def _find_class_keys(self) -> int | None:
        """The word of a class that points to the keys of its instances' dicts; None unless exactly
        one does."""
        words = self._words
        instance = _Sample(None)
        keys = words[(id(instance.__dict__) >> 3) + _DICT_KEYS]
        start = id(_Sample) >> 3
        found = [at for at in range(_basic_bytes(type) >> 3) if words[start + at] == keys]
        return found[0] if len(found) == 1 else None

    def _values_table(self, prefix: int) -> Callable[[Any], Place]:
        """Table of an instance's attribute values.

        3.11: a pointer at the start of the prefix. 3.12: a pointer less 1 in the second word, where
        a dict's pointer is even (Include/internal/pycore_object.h). The block begins before the
        address pointed to; the byte just before that address says by how many bytes
        (Objects/dictobject.c, new_values and free_values).
        """
        words, blocks, memory = self._words, self._blocks, byte_view()
        tagged = _VERSION == (3, 12)
        at = prefix - 8 if tagged else prefix

        def table(item: Any) -> Place:
            values = words[id(item) - at >> 3]
            if tagged:
                if not values & 1:
                    return 0, 0
                values += 1
            elif not values:
                return 0, 0
            start = values - memory[values - 1]
            return start, blocks[start & ~_POOL_MASK]

        return table

    def _self_test(self) -> bool:
        """Whether tables are where they are expected, judged by their contents."""
        words = self._words
        key = object()
        samples: list[tuple[Callable[[Any], Place], Any]] = [
            (self._dict_table(_basic_bytes(dict)), {1: 2, key: key}),
            (self._list_table(_basic_bytes(list)), [1, key]),
            (self._set_table(set.__sizeof__, _basic_bytes(set)), {*range(20), key}),
            (
                self._set_table(frozenset.__sizeof__, _basic_bytes(frozenset)),
                frozenset((*range(20), key)),
            ),
        ]
        if _MANAGED_DICT and _VERSION <= (3, 12):
            # The first instances of a class have more room than later ones.
            instances = [_Sample(key) for _ in range(40)]
            prefix = _GC_HEAD_BYTES + _PRE_HEADER_BYTES
            samples.append((self._values_table(prefix), instances[-1]))
        for table, sample in samples:
            start, size = table(sample)
            if start % 8 or not 0 < size <= 1 << 16 or not self._blocks.is_mapped(start, size):
                return False
            if id(key) not in words[start >> 3 : start + size >> 3]:
                return False
        return True


def _measure_of(mro: tuple[type, ...]) -> Callable[[Any], int]:
    """The `__sizeof__` that is written in C for a type. Integers (3.12+) and generators (3.11+)
    need theirs, because their size does not follow from the number of their items."""
    for base in mro:
        found = _namespace_of(base).get("__sizeof__")
        if type(found) is MethodDescriptorType:
            measure: Callable[[Any], int] = found
            return measure
    return object.__sizeof__


class _Sample:
    def __init__(self, value: object) -> None:
        self.value = value


class _Blocks(dict[int, int]):
    """The block size in bytes by the address of a pool of the small-object allocator; 0 where there
    is no pool."""

    def __init__(self) -> None:
        super().__init__()
        self._words = byte_view().cast("I")
        self._starts: list[int] = []
        self._ends: list[int] = []
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            for line in maps:
                span, permissions, *_ = line.split()
                if not permissions.startswith("r"):
                    continue
                start, end = (int(text, 16) for text in span.split("-"))
                if self._ends and self._ends[-1] == start:
                    self._ends[-1] = end
                else:
                    self._starts.append(start)
                    self._ends.append(end)

    def is_mapped(self, start: int, size: int) -> bool:
        index = bisect.bisect_right(self._starts, start) - 1
        return index >= 0 and start + size <= self._ends[index]

    def __missing__(self, pool: int) -> int:
        found = self[pool] = self._block_bytes(pool)
        return found

    def _block_bytes(self, pool: int) -> int:
        if not self.is_mapped(pool, _POOL_BYTES):
            return 0
        size_class, last_offset = self._words[pool + 36 >> 2], self._words[pool + 44 >> 2]
        size = (size_class + 1) * 16
        return size if size_class < _SIZE_CLASSES and last_offset == _POOL_BYTES - size else 0
