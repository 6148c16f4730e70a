"""Exit statuses that are CPython's own."""

from __future__ import annotations

from typing import Final

FLUSH_FAILED: Final = 120
"""When stdout can't be flushed at the end (Py_RunMain, Modules/main.c)."""
