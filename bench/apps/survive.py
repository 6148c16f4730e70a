"""The application of `make test-survive`: its client can check every answer to the last byte.

Each answer begins with the number of its request, the worker's pid and the version of the code.
The version is the content of SURVIVE_VERSION_FILE when the application was loaded. `app` is WSGI,
`asgi` is ASGI.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

VERSION = Path(os.environ["SURVIVE_VERSION_FILE"]).read_text().strip()

# A heap worth sharing, so that the heap policies have something to do.
LOADED = {f"key-{number}": [number, str(number), (number,)] for number in range(20_000)}

LARGE_BYTES = 200_000
LARGE_PARTS = 20
SLOW_SECONDS = 0.1

# Imported during requests, as sites do; a refork shares these modules.
LATER = ("decimal", "email.message", "html.parser", "json", "statistics", "xml.dom.minidom")

_seen: dict[int, list[str]] = {}


def head_of(number: int) -> bytes:
    return f"{number} {os.getpid()} {VERSION}\n".encode()


def filling(number: int, length: int) -> bytes:
    """`length` bytes that depend on the request's number; visitor-process.ts expects the same."""
    return bytes([97 + number % 26]) * length


def work(number: int) -> None:
    """Reads some of the loaded data, and keeps a little in this worker's cache."""
    # A worker that is out of descriptors can import the module at a later request.
    with contextlib.suppress(OSError):
        importlib.import_module(LATER[number % len(LATER)])
    chosen = (f"key-{(number * 7 + step) % 20_000}" for step in range(20))
    _seen[number % 2_000] = [str(LOADED[key]) for key in chosen]


def parts_of(kind: str, number: int, body: bytes) -> Iterator[bytes]:
    yield head_of(number)
    if kind == "large":
        for _ in range(LARGE_PARTS):
            yield filling(number, LARGE_BYTES // LARGE_PARTS)
    elif kind == "post":
        yield str(zlib.crc32(body)).encode()


def length_of(kind: str, number: int, body: bytes) -> int:
    if kind == "large":
        return len(head_of(number)) + LARGE_BYTES
    return sum(map(len, parts_of(kind, number, body)))


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = parse_qs(environ["QUERY_STRING"])
    number = int(query["id"][0])
    kind = environ["PATH_INFO"].lstrip("/")
    body = environ["wsgi.input"].read() if kind == "post" else b""
    work(number)
    if kind == "slow":
        time.sleep(SLOW_SECONDS)
    length = str(length_of(kind, number, body))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", length)])
    return parts_of(kind, number, body)


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        raise RuntimeError(f"nothing but HTTP here, not {scope['type']}")
    number = int(parse_qs(scope["query_string"].decode())["id"][0])
    kind = scope["path"].lstrip("/")
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    work(number)
    if kind == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", str(length_of(kind, number, body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for part in parts_of(kind, number, body):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
