"""Exit statuses defined by CPython."""

from __future__ import annotations

from typing import Final

FLUSH_FAILED: Final = 120
"""When stdout can't be flushed at exit (Py_RunMain, Modules/main.c)."""
