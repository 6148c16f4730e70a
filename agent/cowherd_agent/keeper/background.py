"""A mold that is made ready beside a serving herd gives way to the workers on the processor.

It does so by its nice value, which its workers inherit. So the priority is lowered only where it
can be raised again.
"""

from __future__ import annotations

import contextlib
import os
import resource

# include/uapi/linux/capability.h
CAP_SYS_NICE = 23

# Such a process weighs 15, one with nice value 0 weighs 1024 (kernel/sched/core.c,
# sched_prio_to_weight).
LOWEST_PRIORITY_NICENESS = 19


def set_background(pid: int, background: bool) -> bool:
    """Gives a child of this process the lowest priority, or this process's own again.

    Returns whether that was done: a priority that the kernel would not let Cowherd raise again is
    not lowered.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if background and not _can_be_raised_to(own):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, LOWEST_PRIORITY_NICENESS if background else own)
        return True
    return False


def _can_be_raised_to(niceness: int) -> bool:
    """Whether the kernel lets this process lower a nice value to `niceness` again: by the
    capability, or by the limit, which is 20 - niceness (kernel/sched/syscalls.c, can_nice)."""
    soft_limit, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return soft_limit == resource.RLIM_INFINITY or soft_limit >= 20 - niceness or has_sys_nice()


def has_sys_nice() -> bool:
    """Whether this process has CAP_SYS_NICE in effect (proc_pid_status(5), CapEff)."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> CAP_SYS_NICE & 1)
    return False
