"""The end of a Unix socket's file."""

from __future__ import annotations

import contextlib
import os
import stat


def remove_socket_file(path: str, inode: int) -> None:
    """Removes the file, unless something else has its name by now, or somebody has removed it."""
    with contextlib.suppress(OSError):
        found = os.lstat(path)
        if stat.S_ISSOCK(found.st_mode) and found.st_ino == inode:
            os.unlink(path)
