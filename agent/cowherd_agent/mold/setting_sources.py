"""Where each setting was set, so that an error can name the place to correct."""

from __future__ import annotations

import argparse
import os

from cowherd_agent.failures import MoldFailure

COMMAND_LINE = "on the command line"
CMD_ARGS = "in GUNICORN_CMD_ARGS"
WEB_CONCURRENCY = "in WEB_CONCURRENCY"


class Sources:
    """Follows gunicorn as it reads one source after the other (gunicorn/app/base.py, load_config):
    it parses both command lines first, then sets their values."""

    def __init__(self) -> None:
        # Name of the configuration file, while it is read.
        self.file: str | None = None
        self._parsed: dict[str, argparse.Namespace] = {}
        self._of: dict[str, str] = {}

    def parsed(self, where: str, namespace: argparse.Namespace) -> None:
        self._parsed[where] = namespace

    def note(self, name: str, value: object) -> None:
        """A setting gets this value now."""
        where = self._place_of(name, value)
        if where is not None:
            self._of[name] = where

    def suffix(self, name: str) -> str:
        """`` (set in gunicorn.conf.py)``; empty for a default."""
        where = self._of.get(name)
        if where is None and name == "workers" and "WEB_CONCURRENCY" in os.environ:
            where = WEB_CONCURRENCY
        return "" if where is None else f" (set {where})"

    def _place_of(self, name: str, value: object) -> str | None:
        if self.file is not None:
            return f"in {self.file}"
        # The order in which gunicorn sets them: if both are wrong, the first is refused first.
        for where in (CMD_ARGS, COMMAND_LINE):
            if getattr(self._parsed.get(where), name, None) is value:
                return where
        return None


def require_web_concurrency() -> None:
    """Checks WEB_CONCURRENCY: gunicorn reads it during import, and fails without naming it."""
    value = os.environ.get("WEB_CONCURRENCY", "1")
    try:
        int(value)
    except ValueError:
        raise MoldFailure(
            "INVALID_SETTING", f"WEB_CONCURRENCY must be a number of workers; it is {value!r}"
        ) from None
