"""Plants modules that own known data, takes a census in a child, and prints its findings on them.

The argument is the heap policy that prepares the heap first.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import struct
import sys
import tempfile
from collections import defaultdict
from types import ModuleType
from typing import Any

from cowherd_agent.census.census import write_census
from cowherd_agent.forked_child import run_in_child
from cowherd_agent.policies import make

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

Owner = tuple[str, str]
Pages = dict[int, int]


def plant(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
    sys.modules[name] = module
    return module


CLASSES = """
class Row:
    def __init__(self, number):
        self.number = 1000 + number
        self.name = f"row {number}"
        self.pair = (self.name, self.number)
        self.ratio = number / 7

registry = []
"""

TABLE = """
from classes import Row, registry

rows = [Row(number) for number in range(6000)]
prices = {number: {"price": number * 1.5, "name": f"price {number}"} for number in range(6000)}

def lookup(number):
    table = [f"only here {each}" for each in range(500)]
    def look():
        return table[number]
    return look

registry.append(lookup(3))
"""

READER = """
import table

rows, first = table.rows, table.rows[0]
own = [f"own {number}" for number in range(8000)]
"""


def read(path: str) -> dict[Owner, Pages]:
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack_from("<I", data, len(data) - 8)
    end = len(data) - 8 - size
    names = json.loads(data[end : end + size])
    found: dict[Owner, Pages] = defaultdict(lambda: defaultdict(int))
    at = 16
    while at < end:
        module, kind, count, _ = struct.unpack_from("<4I", data, at)
        at += 16
        pages = found[names["modules"][module], names["types"][kind]]
        for entry in struct.unpack_from(f"<{count}Q", data, at):
            pages[entry >> 20] += entry & 0xFFFFF
        at += 8 * count
    return found


def expect(objects: list[Any]) -> Pages:
    """Where these objects lie, by the interpreter; for types that keep everything in one piece."""
    pages: Pages = defaultdict(int)
    for item in objects:
        prefix = 16 if type(item).__flags__ & 1 << 14 else 0
        start = id(item) - prefix
        size = type(item).__sizeof__(item) + prefix
        for page in range(start // PAGE_BYTES, (start + size - 1) // PAGE_BYTES + 1):
            first, last = page * PAGE_BYTES, (page + 1) * PAGE_BYTES
            pages[page] += min(last, start + size) - max(first, start)
    return pages


def found_percent(census: dict[Owner, Pages], owner: Owner, expected: Pages) -> float:
    pages = census.get(owner, {})
    return (
        100
        * sum(min(pages.get(page, 0), size) for page, size in expected.items())
        / sum(expected.values())
    )


def main() -> None:
    policy = make(sys.argv[1])
    policy.before_load()
    classes = plant("classes", CLASSES)
    table = plant("table", TABLE)
    reader = plant("reader", READER)
    # Held only by a frame, and not reachable from any module.
    unreached = [f"unreached {number}" for number in range(5000)]
    policy.prepare()

    planted = {
        ("table", "str"): [row.name for row in table.rows],
        ("table", "tuple"): [row.pair for row in table.rows],
        ("table", "float"): [row.ratio for row in table.rows]
        + [each["price"] for each in table.prices.values()],
        ("table", "function"): [classes.registry[0]],
        ("reader", "str"): reader.own,
        (None, "str"): unreached,
        ("classes", "type"): [],
    }
    expected = {owner: expect(objects) for owner, objects in planted.items() if objects}
    closure = [cell for cell in classes.registry[0].__closure__ if type(cell.cell_contents) is list]
    only_there = expect(list(closure[0].cell_contents))
    instances: Pages = defaultdict(int)
    for row in table.rows:
        instances[id(row) // PAGE_BYTES] += 1

    # Instances' dicts point to the keys they share (PyDictObject, ma_keys).
    class_keys = ctypes.c_size_t.from_address(id(table.rows[0].__dict__) + 32).value

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "census")
        outcome = run_in_child(lambda tell: tell(census=write_census(path)), 60)
        if outcome.status != 0:
            raise SystemExit(f"the child ended with {outcome.status}: {outcome.found}")
        mode = oct(os.stat(path).st_mode & 0o777)
        left = os.listdir(folder)
        census = read(path)
    rows_of = {
        str(module): sum(pages.values())
        for (module, kind), pages in census.items()
        if kind == "Row"
    }
    print(
        json.dumps(
            {
                "percent": {
                    f"{kind} of {module}": found_percent(census, (module, kind), pages)
                    for (module, kind), pages in expected.items()
                },
                "closure_percent": found_percent(census, ("table", "str"), only_there),
                "rows_of": rows_of,
                "row_bytes": rows_of.get("table", 0) / len(table.rows),
                "row_pages_missed": len(set(instances) - set(census["table", "Row"])),
                "keys_bytes": sum(census["table", "(keys of dicts)"].values()),
                "keys_expected": sum(
                    dict.__sizeof__(each) - dict.__basicsize__
                    for each in (table.prices, *table.prices.values())
                ),
                "list_bytes": sum(census["table", "(memory of no object)"].values()),
                "class_in": sorted(
                    str(module)
                    for (module, kind), pages in census.items()
                    if kind == "type" and id(classes.Row) // PAGE_BYTES in pages
                ),
                "class_keys_in": sorted(
                    str(module)
                    for (module, kind), pages in census.items()
                    if kind == "(keys of dicts)" and class_keys // PAGE_BYTES in pages
                ),
                "mode": mode,
                "left": left,
                "objects": outcome.found["census"][0],
                "is_enabled": gc.isenabled(),
            }
        )
    )


main()
