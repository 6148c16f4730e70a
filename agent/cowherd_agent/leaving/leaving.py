"""How a process leaves without finalizing the interpreter.

The interpreter's finalization runs a last collection and then takes modules and types apart. That
writes, and so copies, every page that the process shares. Leaving without it loses nothing of the
application's own cleanup, as long as the parts that run application code still run:

1. `threading._shutdown()`: waits for non-daemon threads, and runs what concurrent.futures
   registered there;
2. atexit hooks, last registered first;
3. flushing Python's and the C library's buffered output;
4. `os._exit`.

That is the order of `Py_FinalizeEx` (Python/pylifecycle.c): `wait_for_thread_shutdown`, then
`_PyAtExit_Call`, then `flush_std_files`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from typing import NoReturn

from cowherd_agent.collection import guard
from cowherd_agent.exit_status import FLUSH_FAILED
from cowherd_agent.leaving import atexit_hooks, open_files


def leave(status: int) -> NoReturn:
    """Leave this process with `status`, after the application's own cleanup. Never returns."""
    guard.process_leaves()
    try:
        run_cleanup()
        # A nonzero status stays: gunicorn's 3 and 4 say what went wrong before.
        if not flush_streams() and status == 0:
            status = FLUSH_FAILED
    finally:
        # Also after a KeyboardInterrupt in a hook: a second signal must not cause finalization.
        os._exit(status & 0xFF)


def run_cleanup() -> None:
    """Ends threads, then runs atexit hooks. Prints what they raise, as the interpreter does."""
    end_threads = getattr(threading, "_shutdown", None)
    if end_threads is not None:
        try:
            end_threads()
        except SystemExit:
            pass
        except BaseException:
            sys.excepthook(*sys.exc_info())
    atexit_hooks.run()


def flush_streams() -> bool:
    """Flush Python's standard streams, files that were left open, and C's stdio.

    Open files are flushed as their deallocation would do, unless the process's objects are not
    frozen: looking for files would then read, and so copy, the whole heap. Returns whether stdout
    and stderr could be flushed.
    """
    flushed = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            flushed = False
    open_files.flush_all()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)
    return flushed
