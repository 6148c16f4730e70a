"""GNU's OpenMP: its thread pool is given back before a fork.

A parallel region in a child waits forever for the threads of the pool, which the fork has not
copied; libgomp does not watch for forks. OpenMP 5.0 has a call that gives the pool back
(`omp_pause_resource_all`, section 3.2.45 there; in libgomp since GCC 9). Each process makes its own
pool in its next parallel region.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

from cowherd_agent.fork_safety import native_threads

_PAUSE_HARD = 2
"""`omp_pause_hard` of omp.h."""


def give_back_pools() -> int:
    """Ends the pools of all copies of libgomp in this process (wheels bring their own); returns the
    number of copies that did so. Call it in the thread that has run parallel regions."""
    if native_threads.count() <= native_threads.count_of_python():
        # No library has threads of its own.
        return 0
    paths = {
        mapping.path
        for mapping in native_threads.read_mappings()
        if mapping.executable and os.path.basename(mapping.path).startswith("libgomp")
    }
    paused = 0
    for path in sorted(paths):
        # Older copies have no such call.
        with contextlib.suppress(OSError, AttributeError):
            # The copy that is already loaded (dlopen(3)).
            library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            paused += library.omp_pause_resource_all(_PAUSE_HARD) == 0
    return paused
