"""gevent's server closes without losing connections that it has just accepted.

`BaseServer.close` (gevent/baseserver.py) stops accepting, and in the same step drops the handler
and closes the listening socket. A connection accepted before may still need both: gunicorn's
handler asks the socket for its name (gunicorn/workers/base_async.py, `handle`), and it begins only
in the next turn of the loop, or after the TLS handshake (`wrap_socket_and_handle`,
gevent/server.py). The client would see the end of the connection instead of an answer. A pause
between the two steps lets handlers begin and handshakes finish.
"""

from __future__ import annotations

import sys
from typing import Any

HANDSHAKE_SECONDS = 1.0
"""No longer than the interval at which gunicorn's worker checks whether its handlers are done."""


TURN_SECONDS = 0.001
"""More than one turn of the loop."""


def install() -> None:
    """Call in a worker, once its class is loaded. Does nothing without gevent."""
    module = sys.modules.get("gevent.server")
    server_class = getattr(module, "StreamServer", None)
    if server_class is None or getattr(server_class.close, "begins_handlers", False):
        return
    original = server_class.close

    def close(self: Any) -> None:
        if not self.closed and self.pool is not None:
            # Without the stop event, a freed place in the pool would let it accept again.
            self._stop_event.set()
            self.stop_accepting()
            if getattr(self, "ssl_args", None):
                self.pool.join(timeout=HANDSHAKE_SECONDS)
            else:
                sys.modules["gevent"].sleep(TURN_SECONDS)
        original(self)

    close.begins_handlers = True  # type: ignore[attr-defined]
    server_class.close = close
