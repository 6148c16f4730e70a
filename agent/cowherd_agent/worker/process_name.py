"""The short name of a process, as top and ps show it."""

from __future__ import annotations

import ctypes

# include/uapi/linux/prctl.h; names are cut to 15 bytes (prctl(2)).
PR_SET_NAME = 15


def set_title(name: str, title: str) -> None:
    """The long title, as gunicorn sets it where setproctitle is installed, and the short name,
    which setproctitle has replaced then."""
    from gunicorn import util

    util._setproctitle(title)
    set_name(name)


def set_name(name: str) -> None:
    """Names this process. Where it can't be done nothing is lost."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
