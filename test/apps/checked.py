"""A WSGI application out of functions that say whether what they found was right."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

Check = Callable[[], bool]
Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


def application(**checks: Check) -> Application:
    """Each function has a path. Answers with the worker's pid; with the status 500 if it was not
    right."""

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        is_well = checks[environ["PATH_INFO"].strip("/")]()
        start_response("200 OK" if is_well else "500 Internal Server Error", [])
        return [str(os.getpid()).encode()]

    return app
