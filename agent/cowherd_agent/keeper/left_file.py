"""A socket file that the supervisor has made, gunicorn's control socket: removed by the keeper at
its end, because the supervisor may have been killed."""

from __future__ import annotations

import contextlib
import os
import stat


class LeftFile:
    """None until :meth:`note`; a later note replaces the earlier one."""

    def __init__(self) -> None:
        self._noted: tuple[str, int] | None = None

    def note(self, path: str, inode: int) -> None:
        self._noted = (path, inode)

    def remove(self) -> None:
        """Removes the file, unless something else has its name by now."""
        if self._noted is None:
            return
        path, inode = self._noted
        with contextlib.suppress(OSError):
            found = os.lstat(path)
            if stat.S_ISSOCK(found.st_mode) and found.st_ino == inode:
                os.unlink(path)
