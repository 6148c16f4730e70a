"""Loads a heap of many small objects, whose pages a full collection writes: `collecting_app:app`.

`/collect` runs a full collection in the worker that answers, and returns the worker's pid. The
first collections make permanent changes, such as the order of the objects in the collector's list.
If they are played in the mold (`--warmup "GET /collect"`, several times), the workers share these
changes, and a later collection writes each header and restores it.
"""

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

HEAP = [(str(number), [number]) for number in range(int(os.environ.get("OBJECTS", "250000")))]


def app(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/collect":
        gc.collect()
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
