"""A gunicorn.conf.py whose workers log that they have loaded the application and can serve."""

import os
from typing import Any


def post_worker_init(worker: Any) -> None:
    worker.log.info("Worker has booted (pid: %s)", os.getpid())
