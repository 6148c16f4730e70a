"""Prints the functions of Python files with their length, as JSON: `file`, `name`, `lines`."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path


def functions_of(file: str) -> list[dict[str, object]]:
    """Functions with their lines from the ``def`` to the last line, without decorators."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"), file)
    return [
        {
            "file": file,
            "name": node.name,
            "lines": (node.end_lineno or node.lineno) - node.lineno + 1,
        }
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


if __name__ == "__main__":
    print(json.dumps([each for file in sys.argv[1:] for each in functions_of(file)]))
