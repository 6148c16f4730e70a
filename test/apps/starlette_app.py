"""A small Starlette application, `starlette_app:app`."""

import asyncio
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


async def home(request: Request) -> Response:
    return PlainTextResponse("hello from starlette\n")


async def healthz(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def pid(request: Request) -> Response:
    return JSONResponse({"pid": os.getpid(), "ppid": os.getppid()})


async def slow(request: Request) -> Response:
    """Answers after `?seconds=` seconds."""
    seconds = float(request.query_params.get("seconds", "1"))
    await asyncio.sleep(seconds)
    return PlainTextResponse(f"slept {seconds} s\n")


async def stream(request: Request) -> Response:
    """Sends `?lines=` lines, one by one."""
    count = int(request.query_params.get("lines", "3"))

    async def lines() -> AsyncIterator[str]:
        for number in range(count):
            yield f"line {number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


async def fail(request: Request) -> Response:
    raise RuntimeError("this address always fails")


app = Starlette(
    routes=[
        Route("/", home),
        Route("/healthz", healthz),
        Route("/pid", pid),
        Route("/slow", slow),
        Route("/stream", stream),
        Route("/echo", echo, methods=["POST"]),
        Route("/fail", fail),
    ]
)
