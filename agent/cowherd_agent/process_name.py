"""The short name of a process, as top and ps show it."""

from __future__ import annotations

import ctypes

# include/uapi/linux/prctl.h; names are cut to 15 bytes (prctl(2)).
PR_SET_NAME = 15


def set_name(name: str) -> None:
    """Names this process. Where it can't be done nothing is lost."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
