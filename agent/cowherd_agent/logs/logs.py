"""Writes gunicorn's error log as JSON lines when no terminal reads it."""

from __future__ import annotations

import datetime
import json
import logging
import logging.handlers
from typing import Any


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with the keys of the supervisor's own log lines."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line: dict[str, Any] = {
            "level": record.levelname.lower(),
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "pid": record.process,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def use_json(cfg: Any, log: Any) -> None:
    """Sets the formatter of gunicorn's own error log handler, unless the user has configured
    logging: a log file, a logger class or a logging configuration stays unchanged."""
    customized = (
        cfg.errorlog != "-"
        or cfg.settings["logger_class"].get() not in ("gunicorn.glogging.Logger", "simple")
        or cfg.logconfig
        or cfg.logconfig_dict
        or cfg.logconfig_json
    )
    if customized:
        return
    for handler in log.error_log.handlers:
        # Readers of syslog know gunicorn's own form, with its prefix.
        if isinstance(handler, logging.handlers.SysLogHandler):
            continue
        # gunicorn marks the handlers that it has made (gunicorn/glogging.py, _set_handler).
        if getattr(handler, "_gunicorn", False):
            handler.setFormatter(JsonFormatter())
