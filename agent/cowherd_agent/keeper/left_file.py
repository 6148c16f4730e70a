"""A socket file that the supervisor has made, gunicorn's control socket: removed by the keeper at
its end, because the supervisor may have been killed."""

from __future__ import annotations

from cowherd_agent.keeper.socket_file import remove_socket_file


class LeftFile:
    """None until :meth:`note`; a later note replaces the earlier one."""

    def __init__(self) -> None:
        self._noted: tuple[str, int] | None = None

    def note(self, path: str, inode: int) -> None:
        self._noted = (path, inode)

    def remove(self) -> None:
        if self._noted is not None:
            remove_socket_file(*self._noted)
