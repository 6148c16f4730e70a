"""Makes garbage that only the collector can free: `cycles_app:app`.

Each request leaves behind `CYCLES` objects that refer to themselves, each with `PAYLOAD_BYTES`.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

CYCLES = 20
PAYLOAD_BYTES = 1024
BODY = b"ok\n"


class Node:
    def __init__(self) -> None:
        self.me = self
        self.payload = bytearray(PAYLOAD_BYTES)


def app(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    for _ in range(CYCLES):
        Node()
    body = str(os.getpid()).encode() if environ["PATH_INFO"] == "/pid" else BODY
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
