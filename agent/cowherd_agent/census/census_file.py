"""The file of a census: which owners lie on which pages of memory.

Little-endian, every part at a multiple of 8 bytes; src/forensics/owners/census.ts reads it.

    the words "cowherd census", a zero byte, the version      16 bytes
    blocks: number of the module, number of the type,
            number of entries, zero                           4 of 4 bytes
            entries: page << 20 | bytes                       8 bytes each
    the names, as JSON, filled with spaces                    n of 8 bytes
    bytes of the names, CRC-32 of all before it               2 of 4 bytes

A page is its address divided by the page size. A module's number is its index in `modules` of the
names, a type's number its index in `types`. The first module is null: objects that no module holds.
One owner may have several blocks, and a page several entries in them, whose bytes add up.

The file contains names of modules and types, addresses and sizes, and nothing else of the memory.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = 1
_MAGIC = b"cowherd census\0"
_MOST_BYTES = (1 << 20) - 1
_LONGEST_NAME = 200
_NEW = ".new"


def remove_unfinished(path: str) -> None:
    """Removes the leftover of a file that was not finished."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + _NEW)


class CensusFile:
    """A census file, readable by its owner only, under a temporary name until `finish` renames it.

    Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._unfinished = path + _NEW
        remove_unfinished(path)
        descriptor = os.open(
            self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        self._file = os.fdopen(descriptor, "wb")
        self._checksum = 0
        self._write(_MAGIC + bytes((VERSION,)))

    def add(self, module: int, kind: int, pages: Mapping[int, int]) -> None:
        """Adds the bytes of one owner by page."""
        entries = array("Q", [page << 20 | min(size, _MOST_BYTES) for page, size in pages.items()])
        self._write(struct.pack("<4I", module, kind, len(entries), 0) + entries.tobytes())

    def finish(
        self, modules: Sequence[str | None], types: Sequence[str], facts: Mapping[str, Any]
    ) -> None:
        """Completes the file. `facts` are added to the names and must include `page_bytes`."""
        names = {
            **facts,
            "modules": [name and name[:_LONGEST_NAME] for name in modules],
            "types": [name[:_LONGEST_NAME] for name in types],
        }
        text = json.dumps(names).encode()
        text += b" " * (-len(text) % 8)
        self._write(text + struct.pack("<I", len(text)))
        self._file.write(struct.pack("<I", self._checksum))
        self._file.close()
        os.rename(self._unfinished, self._path)

    def discard(self) -> None:
        """Removes the file unless it is finished."""
        self._file.close()
        remove_unfinished(self._path)

    def _write(self, data: bytes) -> None:
        self._checksum = binascii.crc32(data, self._checksum)
        self._file.write(data)
