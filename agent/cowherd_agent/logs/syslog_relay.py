"""Sends the supervisor's lines to syslog, as gunicorn's logger sends its own: Node can't send
datagrams to a Unix socket such as /dev/log.

Runs in a separate process, which ends with its standard input. Standard library only.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import signal
import socket
import sys
from typing import Any, NoReturn, TypedDict


class Target(TypedDict):
    """The result of gunicorn's syslog settings (gunicorn/glogging.py)."""

    # The path of a Unix socket, or a host with a port.
    path: str | None
    host: str | None
    port: int | None
    # "dgram", "stream", or null for the Unix socket's own kind.
    kind: str | None
    facility: int
    # The program's name, which begins each line, before a colon.
    prefix: str


def target_of(cfg: Any) -> Target | None:
    """The target in gunicorn's settings. None if they do not ask for syslog, or are wrong, which
    gunicorn's logger then reports."""
    from gunicorn.glogging import SYSLOG_FACILITIES, parse_syslog_address

    if not cfg.syslog:
        return None
    try:
        kind, address = parse_syslog_address(cfg.syslog_addr)
        facility = SYSLOG_FACILITIES[cfg.syslog_facility.lower()]
    except (RuntimeError, KeyError):
        return None
    kinds = {socket.SOCK_DGRAM: "dgram", socket.SOCK_STREAM: "stream", None: None}
    is_path = isinstance(address, str)
    name = cfg.syslog_prefix or cfg.proc_name.replace(":", ".")
    return {
        "path": address if is_path else None,
        "host": None if is_path else address[0],
        "port": None if is_path else address[1],
        "kind": kinds[kind],
        "facility": facility,
        "prefix": f"gunicorn.{name}.error",
    }


def handler_for(target: Target) -> logging.handlers.SysLogHandler:
    """Raises OSError if nobody receives there."""
    kinds = {"dgram": socket.SOCK_DGRAM, "stream": socket.SOCK_STREAM}
    handler = logging.handlers.SysLogHandler(
        address=target["path"] or (target["host"] or "", target["port"] or 0),
        facility=target["facility"],
        socktype=kinds[target["kind"]] if target["kind"] else None,
    )
    handler.setFormatter(logging.Formatter(f"{target['prefix']}: [%(process)d] %(message)s"))
    return handler


def main(arguments: list[str]) -> NoReturn:
    """``arguments``: a Target as JSON. Each line of standard input is one of the supervisor's."""
    # Sent by the terminal or to the process group. The supervisor ends this process, after its last
    # line.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    # While syslog is away, not every line needs a traceback.
    logging.raiseExceptions = False
    try:
        handler = handler_for(json.loads(arguments[0]))
    except OSError as error:
        print(f"syslog can't be reached: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    for text in sys.stdin:
        line = json.loads(text)
        level = line["level"].upper()
        handler.handle(
            logging.makeLogRecord(
                {
                    "levelname": level,
                    "levelno": getattr(logging, level),
                    "process": line["pid"],
                    "msg": line["msg"],
                }
            )
        )
    sys.exit(0)
