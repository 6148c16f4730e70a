"""The open descriptors of this process (/proc/self/fd, Documentation/filesystems/proc.rst)."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

STANDARD_STREAMS = 3
"""Descriptors below this one are stdin, stdout and stderr."""


class Descriptor(NamedTuple):
    """An open descriptor. `target` is a path, or `socket:[inode]`, `pipe:[inode]`,
    `anon_inode:[eventpoll]`."""

    number: int
    target: str

    @property
    def is_socket(self) -> bool:
        return self.target.startswith("socket:")

    @property
    def is_file(self) -> bool:
        return self.target.startswith("/") and not self.target.startswith(("/dev/", "/proc/"))

    @property
    def is_of_library(self) -> bool:
        """Whether it is a file that a C library keeps for itself, so nobody can do anything about
        it: onnxruntime's is for its own telemetry."""
        return os.path.basename(self.target).startswith("onnxruntime.db")

    @property
    def is_epoll(self) -> bool:
        return self.target == "anon_inode:[eventpoll]"


def open_descriptors() -> list[Descriptor]:
    """All open descriptors but the standard streams."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number < STANDARD_STREAMS:
            continue
        try:
            found.append(Descriptor(number, os.readlink(f"/proc/self/fd/{name}")))
        except OSError:
            # The descriptor of the listed folder itself.
            continue
    return sorted(found)


def without(opened: list[Descriptor], own_descriptors: Collection[int]) -> list[Descriptor]:
    """Drops Cowherd's own descriptors and any other descriptor of the same socket (gevent closes
    one only when its loop runs next), and files of libraries."""
    own = {each.target for each in opened if each.number in own_descriptors}
    return [each for each in opened if each.target not in own and not each.is_of_library]
