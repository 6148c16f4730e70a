"""Loads a heap of many small objects, whose pages a full collection writes: `collecting_app:app`.

`/collect` runs one in the worker that answers, and tells its pid. What a first collection changes
for good, such as the order of the objects in the collector's list, is the mold's when it has been
played there some times (`--warmup "GET /collect"`); another one writes each header and restores it.
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
