"""Lets the kernel merge pages of this process with equal pages of others (KSM).

Only a process itself can allow this, for all of its memory and that of the processes it forks.
Nothing is merged before KSM is switched on, which `cowherd heal` does.

Under another server, call it in the process that forks the workers, once the application is loaded.
In gunicorn.conf.py ::

    from cowherd_agent.merging import allow_merging

    def when_ready(server):
        allow_merging()

Under uWSGI, call it at the end of the module that makes the application.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

# include/uapi/linux/prctl.h, Linux 6.4. No privilege is needed (kernel/sys.c).
_PR_SET_MEMORY_MERGE = 67


def allow_merging() -> str | None:
    """Lets the kernel merge this process's memory; returns the reason if it can't, else None.

    It may be called again. Undoing it would copy every merged page at once, so there is no function
    for that.
    """
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} is not Linux"
    libc = ctypes.CDLL(None, use_errno=True)
    no = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_MEMORY_MERGE, ctypes.c_ulong(1), no, no, no) == 0:
        return None
    number = ctypes.get_errno()
    if number == errno.EINVAL:
        return "the kernel is older than Linux 6.4, or built without KSM"
    return os.strerror(number)
