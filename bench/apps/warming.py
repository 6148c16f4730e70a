"""The application of `make bench-refork`: it warms up only in its workers.

It is small when loaded. Each of a worker's first PAGES requests warms the next page, about a MiB:
it imports a module, compiles a template and fills cache entries. Later requests cycle through the
warm pages. `python warming.py` writes the modules once, into WARMING_MODULES, so that importing
them works as in a real site.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import jinja2

PAGES = 100
FUNCTIONS = 240
BLOCKS = 30
ENTRIES = 1_700
ROWS_ON_PAGE = 60

_MODULES = os.environ["WARMING_MODULES"]
sys.path.insert(0, _MODULES)

_served = count()
_templates = jinja2.Environment(
    loader=jinja2.FunctionLoader(lambda name: template_of(int(name))), cache_size=2 * PAGES
)
_cache: dict[int, list[dict[str, Any]]] = {}


def source_of(page: int) -> str:
    """Source of a module with many functions of a few lines, like those of a real site."""
    functions = [
        f'def step_{number}(row, options=("{page}-{number}", {number}, None)):\n'
        f'    """Step {number} of page {page}: {"what it does, in a line. " * 4}"""\n'
        f"    label, weight, rest = options\n"
        f'    total = len(row["title"]) * weight + row["score"]\n'
        f"    if total % {number + 2} == 0 and rest is None:\n"
        f'        return {{"label": label, "total": total, "kind": "step_{number}"}}\n'
        f'    return {{"label": row["title"], "total": total + {number}, "kind": "other"}}\n'
        for number in range(FUNCTIONS)
    ]
    return "\n\n".join(functions)


def template_of(page: int) -> str:
    blocks = [
        f'{{% if rows|length > {number} %}}<section id="b{page}-{number}">'
        f"{{% for row in rows[:2] %}}<p class=c{number}>{{{{ row.title }}}} {{{{ row.score }}}}</p>"
        f"{{% endfor %}}</section>{{% endif %}}"
        for number in range(BLOCKS)
    ]
    return "".join(blocks)


def entries_of(page: int) -> list[dict[str, Any]]:
    return [
        {
            "title": f"entry {page}-{number}",
            "score": float(number),
            "tags": [str(number), f"t{page}"],
        }
        for number in range(ENTRIES)
    ]


def page_of(page: int) -> str:
    module = importlib.import_module(f"warming_page_{page}")
    entries = _cache.get(page)
    if entries is None:
        entries = _cache[page] = entries_of(page)
    rows = entries[:ROWS_ON_PAGE]
    steps = [getattr(module, f"step_{number}")(row) for number, row in enumerate(rows)]
    return _templates.get_template(str(page)).render(rows=rows, steps=steps)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = b"ok\n"
    if environ["PATH_INFO"] != "/healthz":
        body = page_of(next(_served) % PAGES).encode()
    headers = [("Content-Type", "text/html"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def write_modules(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for page in range(PAGES):
        (folder / f"warming_page_{page}.py").write_text(source_of(page))


if __name__ == "__main__":
    write_modules(Path(_MODULES))
