"""What gevent's workers replace in the standard library, replaced before the application is loaded.

gunicorn's gevent worker calls `monkey.patch_all()` when it starts (gunicorn/workers/ggevent.py,
patch). An application that a mold has loaded by then has kept the originals: asgiref's
`threading.local`, for one, in which Django keeps a database connection for each thread, would hold
one for all greenlets of a worker.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any


def patch_for(worker_class: Any) -> bool:
    """Patches what this worker class is going to patch. True if there was something to patch."""
    modules = {ancestor.__module__ for ancestor in inspect.getmro(worker_class)}
    if "gunicorn.workers.ggevent" not in modules:
        return False
    from gevent import monkey

    # Not `os` and `signal`: gevent's fork and waitpid need its loop, and the mold runs none. The
    # worker patches them when it starts, and would be warned that it patches twice.
    warnings.filterwarnings("ignore", message="Patching more than once will result in the union")
    monkey.patch_all(os=False, signal=False)
    return True
