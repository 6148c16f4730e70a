"""Cowherd's own settings, declared as gunicorn settings.

The table is own_settings.json, from which TypeScript's types and help are made too. Importing this
module registers the settings with gunicorn's configuration. They can then stand in
``gunicorn.conf.py``, in ``GUNICORN_CMD_ARGS`` and on the command line, and are validated and
documented as gunicorn's are (gunicorn/config.py, class Setting).
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from typing import Any

from gunicorn import config as gunicorn_config

from cowherd_agent.places import PACKAGE_FOLDER
from cowherd_agent.warmup.warmup import parse_request

SECTION = "Cowherd"

Validator = Callable[[object], Any]


def _read_table() -> list[dict[str, Any]]:
    with open(os.path.join(PACKAGE_FOLDER, "own_settings.json"), encoding="utf-8") as file:
        rows: list[dict[str, Any]] = json.load(file)["settings"]
    return rows


TABLE = _read_table()
"""The rows of own_settings.json, in their order.

``kind`` is ``choice``, ``hook`` or one of ``KINDS``. ``message`` is the value's name in messages to
the supervisor, if it gets the value. ``help`` is a line of ``cowherd serve --help``.
"""


def _choice(name: str, choices: list[str]) -> Validator:
    def validate(value: object) -> str:
        if not isinstance(value, str) or value.strip().lower() not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {value!r}")
        return value.strip().lower()

    return validate


def _requests(name: str) -> Validator:
    def validate(value: object) -> list[str]:
        if value is None:
            return []
        requests = [value] if isinstance(value, str) else value
        if not isinstance(requests, (list, tuple)):
            raise TypeError(f"{name} must be a list of requests such as 'GET /'; it is {value!r}")
        for request in requests:
            parse_request(request)
        return list(requests)

    return validate


def _request(_name: str) -> Validator:
    def validate(value: object) -> str | None:
        if value is None or value == "":
            return None
        parse_request(str(value))
        return str(value)

    return validate


def _percent(name: str) -> Validator:
    def validate(value: object) -> float:
        try:
            percent = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must be a percentage of one core; it is {value!r}") from error
        if not 0.0 <= percent <= 100.0:
            raise ValueError(f"{name} must be between 0 and 100 percent; it is {value!r}")
        return percent

    return validate


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def _size(name: str) -> Validator:
    """Bytes: a number, or text such as ``200M``, whose units are powers of 1024."""

    def validate(value: object) -> int:
        match = _SIZE.fullmatch(str(value).strip())
        if match is None or isinstance(value, bool):
            raise ValueError(f"{name} must be a size such as 200M or 1.5G; it is {value!r}")
        return int(float(match[1]) * _UNITS[match[2].lower()])

    return validate


def _size_auto_or_off(name: str) -> Validator:
    def validate(value: object) -> int | str:
        word = str(value).strip().lower()
        return word if word in ("auto", "off") else _size(name)(value) or "off"

    return validate


def _count(_name: str) -> Validator:
    validate: Validator = gunicorn_config.validate_pos_int
    return validate


def _positive_count(name: str) -> Validator:
    def validate(value: object) -> int:
        count: int = gunicorn_config.validate_pos_int(value)
        if count < 1:
            raise ValueError(f"{name} must be at least 1; it is {value!r}")
        return count

    return validate


def _request_counts(name: str) -> Validator:
    def validate(value: object) -> list[int]:
        if value is None:
            return []
        if isinstance(value, str):
            value = [part for part in value.split(",") if part.strip()]
        if isinstance(value, int) and not isinstance(value, bool):
            value = [value]
        try:
            numbers = [int(each) for each in value]  # type: ignore[attr-defined]
        except (TypeError, ValueError) as error:
            what = f"{name} must be a list of numbers of requests; it is {value!r}"
            raise ValueError(what) from error
        if any(number < 1 for number in numbers):
            raise ValueError(f"{name} must be numbers above 0; it is {value!r}")
        return numbers

    return validate


def _flag(_name: str) -> Validator:
    validate: Validator = gunicorn_config.validate_bool
    return validate


def _no_hook(arity: int) -> Callable[..., None]:
    """The default of an unset hook; gunicorn counts its parameters."""

    def one(server: Any) -> None:
        pass

    def two(server: Any, worker: Any) -> None:
        pass

    return one if arity == 1 else two


KINDS: dict[str, Callable[[str], Validator]] = {
    "requests": _requests,
    "request": _request,
    "percent": _percent,
    "size": _size,
    "size_auto_or_off": _size_auto_or_off,
    "count": _count,
    "seconds": _count,
    "positive_count": _positive_count,
    "request_counts": _request_counts,
    "flag": _flag,
}
"""What validates a setting, by kind; ``choice`` and ``hook`` are handled apart."""

_INTEGERS = ("count", "seconds", "positive_count")


def _register(row: dict[str, Any]) -> None:
    """Makes gunicorn's class of a setting, which registers it."""
    name, kind = row["name"], row["kind"]
    attributes: dict[str, Any] = {
        "name": name,
        "section": SECTION,
        "cli": tuple(row["options"]) if "options" in row else None,
        "meta": row.get("meta"),
        "desc": "\n\n".join(row["description"]) + "\n",
    }
    if kind == "hook":
        arity = len(row["arguments"])
        attributes |= {
            "type": callable,
            "validator": gunicorn_config.validate_callable(arity),
            "default": staticmethod(_no_hook(arity)),
        }
    else:
        default = row.get("default", False if kind == "flag" else None)
        attributes["default"] = tuple(default) if isinstance(default, list) else default
        validator = _choice(name, row["choices"]) if kind == "choice" else KINDS[kind](name)
        attributes["validator"] = validator
    if kind in _INTEGERS:
        attributes["type"] = int
    if kind == "flag":
        attributes["action"] = "store_true"
    if kind == "requests":
        attributes["action"] = "append"
    type(gunicorn_config.Setting)(name, (gunicorn_config.Setting,), attributes)


for _row in TABLE:
    _register(_row)


def values_for_the_supervisor(cfg: Any) -> dict[str, Any]:
    """The settings that the supervisor acts on, by its own names; units are in the names."""
    return {row["message"]: getattr(cfg, row["name"]) for row in TABLE if "message" in row}


def explain_usage_error(parser: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    """Turns argparse's text into (error code, detail); suggests the nearest option."""
    import difflib

    prefix = "unrecognized arguments: "
    if not text.startswith(prefix):
        return "USAGE", text
    known = [option for action in parser._actions for option in action.option_strings]
    unknown = next((word for word in text[len(prefix) :].split() if word.startswith("-")), None)
    if unknown is None:
        return "USAGE", f"{text} (one application only)"
    name = unknown.split("=", 1)[0]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    return "UNKNOWN_SETTING", f"{name} is not an option of Cowherd or gunicorn{hint}"
