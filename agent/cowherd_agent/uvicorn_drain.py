"""uvicorn's way out, without the loss of requests that it has not read yet.

`Server.shutdown` (uvicorn/server.py) stops accepting and closes every connection that has no
request under way, in one step. A connection that was accepted a moment ago has a request in the
kernel's buffer, which nobody has read: its client sees a reset. With a pause between the two the
event loop reads what is there; then it is a request under way, and is answered.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

READ_SECONDS = 0.05
"""Many turns of the loop. The requests of a loaded worker take their time, too."""


def install() -> None:
    """Call in a worker, once its class is loaded. Nothing where uvicorn is not used."""
    module = sys.modules.get("uvicorn.server")
    server_class = getattr(module, "Server", None)
    if server_class is None or getattr(server_class.shutdown, "reads_first", False):
        return
    original = server_class.shutdown

    async def shutdown(self: Any, sockets: Any = None) -> None:
        for server in getattr(self, "servers", ()):
            server.close()
        await asyncio.sleep(READ_SECONDS)
        await original(self, sockets)

    shutdown.reads_first = True  # type: ignore[attr-defined]
    server_class.shutdown = shutdown
