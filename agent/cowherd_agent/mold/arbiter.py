"""The ``server`` that gunicorn's server hooks get: gunicorn's own Arbiter, which never runs.

The supervisor does an arbiter's work. This object lives in the mold so that hooks find the
attributes they know: ``cfg``, ``log``, ``app``, ``pid``, ``LISTENERS``, ``WORKERS``.
"""

from __future__ import annotations

import _socket
import os
from typing import Any

from gunicorn import sock
from gunicorn.arbiter import Arbiter

_SOCKET_CLASSES = {"tcp": "TCPSocket", "tcp6": "TCP6Socket", "unix": "UnixSocket"}


class MoldArbiter(Arbiter):  # type: ignore[misc]
    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.LISTENERS: list[Any] = []
        self.inherited_listeners: list[bool] = []
        self.WORKERS: dict[int, Any] = {}
        self.pid = os.getpid()

    def setup(self, app: Any) -> None:
        """gunicorn's setup (logger, environment) without its preloading, which the mold does."""
        app.cfg.set("preload_app", False)
        super().setup(app)
        app.cfg.set("preload_app", True)

    def take_listeners(
        self, descriptors: list[int], families: list[str], inherited: list[bool]
    ) -> None:
        """Wraps the keeper's listening sockets in gunicorn's classes, which close what they get.

        ``inherited`` marks the sockets that the server was started with, which outlive it.
        """
        self.LISTENERS = []
        self.inherited_listeners = inherited
        for descriptor, family in zip(descriptors, families, strict=True):
            socket_class = getattr(sock, _SOCKET_CLASSES[family])
            # The name is asked of the socket, as gunicorn does for sockets that it was started with
            # (gunicorn/sock.py, create_sockets): systemd's may differ from the settings. The C
            # class closes its descriptor at once; gevent's waits for its loop.
            named = _socket.socket(fileno=os.dup(descriptor))
            address = named.getsockname()
            named.close()
            self.LISTENERS.append(socket_class(address, self.cfg, self.log, fd=descriptor))

    def spawn(self, keeper_pid: int) -> Any:
        """Makes a new gunicorn worker object before the fork, as gunicorn does."""
        self.worker_age += 1
        max_requests = self.cfg.max_requests
        # The supervisor counts requests, and has another worker ready before one leaves.
        self.cfg.set("max_requests", 0)
        try:
            worker = self.worker_class(
                self.worker_age,
                keeper_pid,
                self.LISTENERS,
                self.app,
                self.timeout / 2.0,
                self.cfg,
                self.log,
            )
        finally:
            self.cfg.set("max_requests", max_requests)
        self.cfg.pre_fork(self, worker)
        return worker
