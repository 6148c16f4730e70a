"""uvicorn's server leaves without losing requests that it has not read yet.

`Server.shutdown` (uvicorn/server.py) stops accepting and closes every connection that has no
request under way, in one step. A connection accepted a moment ago, or kept alive, may have an
unread request in the kernel's buffer. Its client sees a reset, and must not repeat a POST by itself
(RFC 9110, 9.2.2). So connections stay open for a while after the server has stopped accepting, and
the next answer on each says that it is the last one (RFC 9112, 9.6).
"""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import Any

READ_SECONDS = 0.05
"""Many turns of the loop. The requests of a loaded worker take time, too."""

LINGER_SECONDS = 2.0
"""How long connections without a request then stay open, as those of gunicorn's threaded workers do
(gunicorn/workers/gthread.py, STOP_KEEPALIVE_LINGER)."""

GRACE_PART = 0.5
"""The part of graceful_timeout that may be spent on it."""

LOOK_SECONDS = 0.01
"""Between two looks at the connections."""

CLOSE = (b"connection", b"close")


def install(grace_seconds: float) -> None:
    """Call in a worker, once its class is loaded. Does nothing without uvicorn."""
    module = sys.modules.get("uvicorn.server")
    server_class = getattr(module, "Server", None)
    if server_class is None or getattr(server_class.shutdown, "reads_first", False):
        return
    original = server_class.shutdown
    linger_seconds = min(LINGER_SECONDS, grace_seconds * GRACE_PART)

    @functools.wraps(original)
    async def shutdown(self: Any, sockets: Any = None) -> None:
        for server in getattr(self, "servers", ()):
            server.close()
        # Added to every answer from now on; HTTP/2 protocols leave it out.
        state = self.server_state
        state.default_headers = [*state.default_headers, CLOSE]
        await asyncio.sleep(READ_SECONDS)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + linger_seconds
        while (
            not self.force_exit and loop.time() < deadline and any(map(_rests, state.connections))
        ):
            await asyncio.sleep(LOOK_SECONDS)
        await original(self, sockets)

    shutdown.reads_first = True  # type: ignore[attr-defined]
    server_class.shutdown = shutdown


def _rests(connection: Any) -> bool:
    """Whether it is an HTTP/1 connection without a request under way."""
    if not hasattr(connection, "cycle"):
        return False
    return connection.cycle is None or bool(connection.cycle.response_complete)
