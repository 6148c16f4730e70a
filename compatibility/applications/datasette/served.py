"""Datasette as an ASGI object, like the one that `datasette serve` makes from its arguments."""

import json
from pathlib import Path

from datasette.app import Datasette

_here = Path(__file__).parent
# Immutable, with the counts from `datasette inspect`. Otherwise tables are counted within 10 ms, or
# not at all.
_inspected = json.loads((_here / "counts.json").read_text())
app = Datasette(immutables=[str(_here / "library.db")], inspect_data=_inspected).app()
