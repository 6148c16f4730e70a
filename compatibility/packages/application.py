"""The application that is served for one package: the module of `uses` that COWHERD_USE names.

A use either has its own application, `app`, or a function `answer(number)`, which is wrapped here:
in a WSGI application, or in an ASGI application if it is a coroutine function. Both answer to GET
/NUMBER.
"""

from __future__ import annotations

import importlib
import inspect
import os
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

use = importlib.import_module("uses." + os.environ["COWHERD_USE"])

HEADERS = (("Content-Type", "text/plain; charset=utf-8"),)


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, body = "200 OK", b""
    try:
        body = use.answer(int(environ["PATH_INFO"].strip("/"))).encode()
    except Exception:
        # The error is the answer, so that the comparison of the two servers shows it.
        status, body = "500 Internal Server Error", traceback.format_exc().encode()
    start_response(status, [*HEADERS, ("Content-Length", str(len(body)))])
    return [body]


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        while True:
            phase = (await receive())["type"]
            await send({"type": phase + ".complete"})
            if phase == "lifespan.shutdown":
                return
    status, body = 200, b""
    try:
        body = (await use.answer(int(scope["path"].strip("/")))).encode()
    except Exception:
        status, body = 500, traceback.format_exc().encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


wrapper = asgi if inspect.iscoroutinefunction(getattr(use, "answer", None)) else wsgi
app = getattr(use, "app", wrapper)
