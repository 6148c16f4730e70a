"""Gives the free memory inside the C library's heap back to the kernel (malloc_trim(3), glibc).

A worker's first allocations would otherwise land on pages that it shares with the mold, and copy
them. glibc gives back every wholly free page, not only those at the top.
"""

from __future__ import annotations

import ctypes

from cowherd_agent.heap.report import Progress, StepReport, Throttle
from cowherd_agent.interpreter.rollup import anonymous_bytes


def trim(progress: Progress | None = None) -> StepReport:
    """Trim the heap. The report's price is negative: memory that the mold gave back."""
    throttle = Throttle(progress, "trim")
    before = anonymous_bytes()
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return StepReport("trim", throttle.end(0), skipped="this C library has no malloc_trim")
    malloc_trim.argtypes = [ctypes.c_size_t]
    malloc_trim.restype = ctypes.c_int
    gave_back = malloc_trim(0)
    return StepReport(
        name="trim",
        seconds=throttle.end(1),
        price_bytes=anonymous_bytes() - before,
        counts={"gave_back": gave_back},
    )
