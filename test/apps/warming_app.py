"""`/warm` fills a cache; every answer says what was warm before the request. WSGI and ASGI."""

import json
import os
import sys
from typing import Any

CACHE: dict[str, Any] = {}
_pids: set[int] = set()


def _depth() -> int:
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return depth


def _answer(path: str) -> bytes:
    was_cached, was_imported = bool(CACHE), "colorsys" in sys.modules
    first = os.getpid() not in _pids
    _pids.add(os.getpid())
    if path == "/warm":
        import colorsys  # noqa: F401

        # 20 MiB, partly of objects that the collector doesn't track (CACHE itself was frozen
        # before).
        for number in range(0 if CACHE else 50_000):
            CACHE[f"row {number}"] = {"id": number, "text": f"text of row {number}" * 4}
    elif path == "/read":
        sum(len(row["text"]) for row in CACHE.values())
    return json.dumps(
        {
            "pid": os.getpid(),
            "first": first,
            "cached": was_cached,
            "imported": was_imported,
            "depth": _depth(),
        }
    ).encode()


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = _answer(environ["PATH_INFO"])
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = _answer(scope["path"])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
