"""The short name of a process, as top and ps show it."""

from __future__ import annotations

import ctypes

# include/uapi/linux/prctl.h; names are cut to 15 bytes (prctl(2)).
PR_SET_NAME = 15


def set_title(name: str, title: str) -> None:
    """Sets the long title, as gunicorn does if setproctitle is installed, and then the short name,
    which setproctitle has replaced."""
    from gunicorn import util

    util._setproctitle(title)
    set_name(name)


def set_name(name: str) -> None:
    """Names this process. A failure loses nothing."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
