"""A gunicorn.conf.py: each worker says when it has loaded the application, and can serve."""

import os
from typing import Any


def post_worker_init(worker: Any) -> None:
    worker.log.info("Worker has booted (pid: %s)", os.getpid())
