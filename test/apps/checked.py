"""Makes a WSGI application out of functions that return whether what they found was right."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

Check = Callable[[], bool]
Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


def application(**checks: Check) -> Application:
    """Serves each function at the path of its name. Answers with the worker's pid, and with status
    500 if the check failed."""

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        is_well = checks[environ["PATH_INFO"].strip("/")]()
        start_response("200 OK" if is_well else "500 Internal Server Error", [])
        return [str(os.getpid()).encode()]

    return app
