"""The shapes of commands and the types of messages, from shapes.json.

scripts/tables.ts makes that file from src/agent/messages.ts. checking.py says what a shape is.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from cowherd_agent.places import PACKAGE_FOLDER

with open(os.path.join(PACKAGE_FOLDER, "wire", "shapes.json"), encoding="utf-8") as _file:
    _SHAPES: dict[str, Any] = json.load(_file)

KEEPER_COMMANDS: Final[dict[str, Any]] = _SHAPES["KeeperCommand"]
"""The fields of each command to the keeper, by its type."""

MOLD_COMMANDS: Final[dict[str, Any]] = _SHAPES["MoldCommand"]
"""The same for each command of the supervisor to a mold."""

MOLD_MESSAGES: Final = frozenset[str](_SHAPES["MoldMessage"])
"""Types of the messages of a mold that reach the supervisor."""

WORKER_MESSAGES: Final = frozenset[str](_SHAPES["WorkerMessage"])
"""Types of the messages that a worker may send after its first one, `born`."""
