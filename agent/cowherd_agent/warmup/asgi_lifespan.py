"""The startup and shutdown of an ASGI application (the lifespan protocol, version 2.0), around
requests that are played in process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

_SHUTDOWN_SECONDS = 5.0


@contextlib.asynccontextmanager
async def lifespan(app: Any, state: dict[str, Any]) -> AsyncIterator[None]:
    """Starts the application up, and shuts it down at the end. `state` is for the requests' scopes.

    An application that does not know the protocol raises, and is used without it. Raises
    RuntimeError if the application reports that its startup failed.
    """
    orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {
        "type": "lifespan",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "state": state,
    }
    running = asyncio.ensure_future(app(scope, orders.get, answers.put))
    orders.put_nowait({"type": "lifespan.startup"})
    answer = asyncio.ensure_future(answers.get())
    await asyncio.wait((running, answer), return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        # Retrieved, or asyncio would log that it never was.
        running.exception()
        yield
        return
    if answer.result()["type"] == "lifespan.startup.failed":
        raise RuntimeError(f"startup failed: {answer.result().get('message', '')}")
    try:
        yield
    finally:
        orders.put_nowait({"type": "lifespan.shutdown"})
        with contextlib.suppress(Exception):
            await asyncio.wait_for(running, _SHUTDOWN_SECONDS)
