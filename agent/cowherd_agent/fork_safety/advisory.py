"""Advisory steps: each is judged by itself, and none can end the mold that it advises."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class Advisory:
    """Runs steps that may fail.

    Args:
        warn: gets one line for each step that failed.
        debug: gets its traceback.
    """

    def __init__(self, warn: Callable[[str], None], debug: Callable[[str], None]) -> None:
        self._warn = warn
        self._debug = debug
        # Failed steps, in words.
        self.failed: list[str] = []

    def attempt(self, what: str, step: Callable[[], Found]) -> Found | None:
        """Returns the step's result, or None if it raises."""
        try:
            return step()
        except BaseException as error:
            # Foreign code may raise anything, SystemExit included.
            name = type(error).__name__
            self.failed.append(f"{what} failed ({name}: {_one_line(error)})")
            self._warn(
                f"Fork safety: {self.failed[-1]};"
                " the herd goes on without it. Please report it: --log-level debug has a traceback"
            )
            self._debug(traceback.format_exc())
            return None


def _one_line(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except BaseException:
        # An application's exception, whose text raises.
        return "no text"
    return lines[0][:200] if lines else "no text"
