"""gevent's way out, without the loss of connections whose TLS handshake is under way.

`BaseServer.close` (gevent/baseserver.py) stops accepting, and in the same step drops the handler
and closes the listening socket. A connection that was accepted before, and whose handshake is not
yet over, needs both afterwards: `wrap_socket_and_handle` (gevent/server.py) hands it to the
handler, and gunicorn's asks the socket for its name (gunicorn/workers/base_async.py, `handle`). Its
client sees the end of the connection instead of an answer. With a pause between the two steps the
handshakes come to their end first.
"""

from __future__ import annotations

import sys
from typing import Any

HANDSHAKE_SECONDS = 1.0
"""No longer than gunicorn's worker itself waits between two looks whether its handlers are done."""


def install() -> None:
    """Call in a worker, once its class is loaded. Nothing where gevent is not used."""
    module = sys.modules.get("gevent.server")
    server_class = getattr(module, "StreamServer", None)
    if server_class is None or getattr(server_class.close, "ends_handshakes", False):
        return
    original = server_class.close

    def close(self: Any) -> None:
        if not self.closed and self.pool is not None and getattr(self, "ssl_args", None):
            # A place in the pool that gets free would let it accept again, were it not stopped.
            self._stop_event.set()
            self.stop_accepting()
            self.pool.join(timeout=HANDSHAKE_SECONDS)
        original(self)

    close.ends_handshakes = True  # type: ignore[attr-defined]
    server_class.close = close
