"""This process's own memory, from /proc/self/smaps_rollup and smaps
(Documentation/filesystems/proc.rst)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Rollup(NamedTuple):
    """Bytes. `shared_dirty_bytes` is shared by copy-on-write: anonymous pages, written since the
    program was loaded, that another process maps too."""

    rss_bytes: int
    pss_bytes: int
    anonymous_bytes: int
    shared_dirty_bytes: int
    private_dirty_bytes: int


def parse(text: str) -> Rollup:
    """Sums the fields, so the text of plain smaps works too."""
    kib: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        parts = rest.split()
        if len(parts) == 2 and parts[1] == "kB":
            kib[name] = kib.get(name, 0) + int(parts[0])
    return Rollup(
        rss_bytes=kib["Rss"] * 1024,
        pss_bytes=kib["Pss"] * 1024,
        anonymous_bytes=kib["Anonymous"] * 1024,
        shared_dirty_bytes=kib["Shared_Dirty"] * 1024,
        private_dirty_bytes=kib["Private_Dirty"] * 1024,
    )


def read() -> Rollup | None:
    """Returns None if the kernel gives no data (no /proc, or a sandbox without smaps)."""
    for name in ("smaps_rollup", "smaps"):
        try:
            return parse(Path("/proc/self", name).read_text("ascii", "replace"))
        except (OSError, KeyError, ValueError):
            continue
    return None


_MAPPING_OR_SHARED = re.compile(
    r"^(?:[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)|Shared_(?:Dirty|Clean): +(\d+) kB)", re.MULTILINE
)


def parse_shared_anonymous(text: str) -> int:
    """Bytes shared by copy-on-write, from plain smaps: shared bytes of mappings without a file.

    `Shared_Dirty` of the rollup also counts pages of files that were just written to the disk (a
    library that was just installed, say), and grows as they are touched. Pure.
    """
    shared_kib = 0
    inode = "0"
    for mapped_inode, kib in _MAPPING_OR_SHARED.findall(text):
        if mapped_inode:
            inode = mapped_inode
        elif inode == "0":
            shared_kib += int(kib)
    return shared_kib * 1024


def shared_anonymous_bytes() -> int | None:
    """Bytes that this process shares by copy-on-write; None if the kernel gives no data."""
    try:
        return parse_shared_anonymous(Path("/proc/self/smaps").read_text("ascii", "replace"))
    except (OSError, ValueError, IndexError):
        return None


def anonymous_bytes() -> int:
    """This process's anonymous memory; 0 if unknown."""
    rollup = read()
    return 0 if rollup is None else rollup.anonymous_bytes
