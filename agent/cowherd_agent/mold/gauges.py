"""What gunicorn's arbiter tells its logger about the herd, told by the mold in its place: how many
workers there are (``gunicorn.workers``) and how many connections wait (``gunicorn.backlog``).

The supervisor has the figures, and knows the moments of gunicorn's arbiter; the mold has gunicorn's
logger, so that a StatsD host and a logger class of one's own get what gunicorn would give them
(gunicorn/arbiter.py, manage_workers; 23 to 27).
"""

from __future__ import annotations

import _socket
from collections.abc import Callable
from select import POLLOUT, poll
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cowherd_agent.wire.settings_types import SettingsGauges


def wanted_by(cfg: Any) -> SettingsGauges:
    """The figures that the logger does something with: gunicorn's plain logger drops lines of the
    level debug."""
    heeds_debug = bool(
        cfg.statsd_host
        or cfg.settings["logger_class"].get() not in ("gunicorn.glogging.Logger", "simple")
        or str(cfg.loglevel).lower() == "debug"
        or cfg.logconfig
        or cfg.logconfig_dict
        or cfg.logconfig_json
    )
    # gunicorn 24 and newer.
    has_backlog = "enable_backlog_metric" in cfg.settings and cfg.enable_backlog_metric
    return {"workers": heeds_debug, "backlog": heeds_debug and bool(has_backlog)}


class Gauges:
    """Tells the logger of a mold's arbiter; ``warn`` hears of the first failure of that."""

    def __init__(self, arbiter: Any, warn: Callable[[str], None]) -> None:
        self._log = arbiter.log
        self._statsd_host = arbiter.cfg.statsd_host
        self._warn = warn
        self._has_failed = False

    def tell(self, workers: int | None, backlog: int | None) -> None:
        """``None`` is not told."""
        try:
            if workers is not None:
                self._tell(f"{workers} workers", "gunicorn.workers", workers, "gauge")
            if backlog is not None:
                text = f"socket backlog: {backlog}"
                self._tell(text, "gunicorn.backlog", backlog, "histogram")
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                reason = f"{type(error).__name__}: {error}"
                self._warn(f"gunicorn's logger took no gauge: {reason}")

    def _tell(self, text: str, metric: str, value: int, kind: str) -> None:
        if is_ready(getattr(self._log, "sock", None), self._statsd_host):
            self._log.debug(text, extra={"metric": metric, "value": value, "mtype": kind})


def is_ready(sock: Any, statsd_host: Any) -> bool:
    """Whether a datagram would be sent at once: a mold must not wait for a receiver that is stuck,
    nor write a traceback each second because one is away, as gunicorn's logger does.

    The socket is also that of every worker forked from here. A receiver that was away and is back
    at its path is connected to again, for them too.
    """
    if not isinstance(sock, _socket.socket):
        return True
    if sock.family == _socket.AF_UNIX:
        try:
            _socket.socket.connect(sock, statsd_host)
        except OSError:
            return False
    # Takes the error of an earlier datagram, which the next one would fail with.
    sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    look = poll()
    look.register(sock.fileno(), POLLOUT)
    return bool(look.poll(0))
