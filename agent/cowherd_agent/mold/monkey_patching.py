"""Patches what gevent's workers patch in the standard library, before the application is loaded.

gunicorn's gevent worker calls `monkey.patch_all()` when it starts (gunicorn/workers/ggevent.py,
patch). By then the application has been loaded in the mold and keeps the originals. One example is
asgiref's `threading.local`, in which Django keeps a database connection for each thread: it would
hold one connection for all greenlets of a worker.
"""

from __future__ import annotations

import inspect
import os
import warnings
from typing import Any


def patch_for(worker_class: Any) -> bool:
    """Applies this worker class's patches. Returns True if there was something to patch."""
    modules = {ancestor.__module__ for ancestor in inspect.getmro(worker_class)}
    if "gunicorn.workers.ggevent" not in modules:
        return False
    from gevent import monkey

    # Not `os` and `signal`: gevent's fork and waitpid need its loop, and the mold runs none. The
    # worker patches them when it starts, which would warn about patching twice.
    warnings.filterwarnings("ignore", message="Patching more than once will result in the union")
    monkey.patch_all(os=False, signal=False)
    _register_once()
    return True


def _register_once() -> None:
    """An application that patches too makes gevent register the same fork functions a second time
    (gevent/threading.py, _gevent_will_monkey_patch). Run twice, they find their own work done and
    fail."""
    from gevent import threading

    hooks = getattr(threading, "_fork_hooks", None)
    if hooks is None:
        return
    original = os.register_at_fork

    def register_at_fork(**functions: Any) -> None:
        if any(getattr(each, "__self__", None) is hooks for each in functions.values()):
            return
        original(**functions)

    os.register_at_fork = register_at_fork
