"""This process's own memory, from /proc/self/smaps_rollup (Documentation/filesystems/proc.rst)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rollup:
    """Bytes. `shared_dirty_bytes` is what this process shares by copy-on-write: anonymous pages,
    written since the program was loaded, that another process maps too."""

    rss_bytes: int
    pss_bytes: int
    anonymous_bytes: int
    shared_dirty_bytes: int
    private_dirty_bytes: int


def parse(text: str) -> Rollup:
    """Sums the fields, so that the text of plain smaps will do too."""
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
    """None where the kernel tells nothing (no /proc, or a sandbox without smaps)."""
    for name in ("smaps_rollup", "smaps"):
        try:
            return parse(Path("/proc/self", name).read_text("ascii", "replace"))
        except (OSError, KeyError, ValueError):
            continue
    return None


def anonymous_bytes() -> int:
    """This process's anonymous memory, or 0 where it can't be told."""
    rollup = read()
    return 0 if rollup is None else rollup.anonymous_bytes
