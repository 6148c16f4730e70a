"""Adds up what a census finds: the bytes of each owner by page.

Modules are tallied one at a time, as they are walked; a module's sums are written when it ends.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from cowherd_agent.census.census_file import CensusFile
from cowherd_agent.census.extents import Extents, Place
from cowherd_agent.interpreter.by_type import ByType
from cowherd_agent.interpreter.hidden_referents import HiddenReferents

NOBODY = 0
"""The number of the module None."""

_FLUSH_OBJECTS = 400_000
"""A module's sums are written after this many objects, so that they do not pile up."""

_LARGEST_BYTES = 1 << 40
"""A larger object is ignored: its reported size can't be right."""

_name_of = type.__dict__["__name__"].__get__

_Tally = tuple[
    "defaultdict[int, int]",
    int,
    int,
    Callable[[Any], int],
    "Callable[[Any], Place] | None",
    "defaultdict[int, int]",
    bool,
]
"""One type's tally for the module that is being walked: its bytes by page; `prefix_bytes`,
`size_bytes`, `measure` and `table` of its shape; the bytes of its tables by page; `leads_on`."""


class CensusTally:
    """Adds up the bytes of objects by page, and writes them."""

    def __init__(self, file: CensusFile) -> None:
        self.objects = 0
        self.bytes = 0
        self.hidden = HiddenReferents()
        self.modules: list[str | None] = [None]
        self._file = file
        self._extents = Extents(self.hidden)
        self._type_numbers: dict[str, int] = {}
        self._module = NOBODY
        self._by_name: dict[str, defaultdict[int, int]] = {}
        self._tallies = ByType(self._tally_for)
        self._counted = 0
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def begin(self, module: int) -> None:
        """From now on, counted objects belong to this module."""
        if module != self._module:
            self._flush()
            self._module = module

    def count(self, objects: list[object]) -> list[object]:
        """Counts the objects; returns those that may refer to others."""
        tallies, spread = self._tallies, self._spread
        page_bytes = self._page_bytes
        shift, mask = page_bytes.bit_length() - 1, page_bytes - 1
        further: list[object] = []
        total = 0
        for item in objects:
            pages, prefix, size, measure, table, table_pages, leads_on = tallies[id(type(item))]
            start = id(item) - prefix
            if not size:
                size = measure(item) + prefix
            total += size
            if (start & mask) + size <= page_bytes:
                pages[start >> shift] += size
            else:
                spread(pages, start, size)
            if table is not None:
                start, size = table(item)
                if size > 0:
                    total += size
                    if (start & mask) + size <= page_bytes:
                        table_pages[start >> shift] += size
                    else:
                        spread(table_pages, start, size)
            if leads_on:
                further.append(item)
        self.objects += len(objects)
        self.bytes += total
        self._counted += len(objects)
        if self._counted >= _FLUSH_OBJECTS:
            self._flush()
        return further

    def finish(self, seconds: float) -> None:
        self._flush()
        facts = {
            "page_bytes": self._page_bytes,
            "vdso": _vdso_address(),
            "python_version": ".".join(map(str, sys.version_info[:3])),
            "objects": self.objects,
            "bytes": self.bytes,
            "seconds": round(seconds, 3),
        }
        self._file.finish(self.modules, list(self._type_numbers), facts)

    def _spread(self, pages: defaultdict[int, int], start: int, size: int) -> None:
        if size > _LARGEST_BYTES:
            return
        page_bytes = self._page_bytes
        end = start + size
        while start < end:
            page = start // page_bytes
            part = min(end, (page + 1) * page_bytes) - start
            pages[page] += part
            start += part

    def _tally_for(self, kind: type) -> _Tally:
        shape = self._extents.of(kind)
        return (
            self._pages_of(_name_of(kind)),
            shape.prefix_bytes,
            shape.size_bytes,
            shape.measure,
            shape.table,
            self._pages_of(shape.table_name),
            shape.leads_on,
        )

    def _pages_of(self, name: str) -> defaultdict[int, int]:
        pages = self._by_name.get(name)
        if pages is None:
            pages = self._by_name[name] = defaultdict(int)
        return pages

    def _flush(self) -> None:
        numbers = self._type_numbers
        for name, pages in self._by_name.items():
            if pages:
                self._file.add(self._module, numbers.setdefault(name, len(numbers)), pages)
        self._by_name.clear()
        self._tallies.clear()
        self._counted = 0


def _vdso_address() -> int | None:
    """Address of the kernel's vDSO: random, but the same in a process and its forked children. It
    identifies the process that a census is of."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            if line.rstrip().endswith("[vdso]"):
                return int(line.partition("-")[0], 16)
    return None
