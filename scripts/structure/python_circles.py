"""Prints the circular imports among the agent's modules, as a JSON list of lines.

The graph is grimp's, as in import-linter. Imports for types only count too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]


def circles() -> list[str]:
    """One line for each circle, of modules or of packages."""
    sys.path.insert(0, str(ROOT / "agent"))
    graph = grimp.build_graph("cowherd_agent", cache_dir=None)
    found = []
    packages = [name for name in graph.modules if graph.find_children(name)]
    for package in sorted(packages):
        for importer, imported in sorted(graph.nominate_cycle_breakers(package)):
            found.append(f"{importer} and {imported} are in a circle of imports")
    return found


if __name__ == "__main__":
    print(json.dumps(circles()))
