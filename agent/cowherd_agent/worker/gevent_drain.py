"""gevent's server closes without losing connections whose TLS handshake is under way.

`BaseServer.close` (gevent/baseserver.py) stops accepting, and in the same step drops the handler
and closes the listening socket. A connection accepted before, whose handshake is not yet over,
needs both: `wrap_socket_and_handle` (gevent/server.py) hands it to the handler, and gunicorn's
handler asks the socket for its name (gunicorn/workers/base_async.py, `handle`). Its client sees the
end of the connection instead of an answer. A pause between the two steps lets the handshakes
finish.
"""

from __future__ import annotations

import sys
from typing import Any

HANDSHAKE_SECONDS = 1.0
"""No longer than the interval at which gunicorn's worker checks whether its handlers are done."""


def install() -> None:
    """Call in a worker, once its class is loaded. Does nothing without gevent."""
    module = sys.modules.get("gevent.server")
    server_class = getattr(module, "StreamServer", None)
    if server_class is None or getattr(server_class.close, "ends_handshakes", False):
        return
    original = server_class.close

    def close(self: Any) -> None:
        if not self.closed and self.pool is not None and getattr(self, "ssl_args", None):
            # Without the stop event, a freed place in the pool would let it accept again.
            self._stop_event.set()
            self.stop_accepting()
            self.pool.join(timeout=HANDSHAKE_SECONDS)
        original(self)

    close.ends_handshakes = True  # type: ignore[attr-defined]
    server_class.close = close
