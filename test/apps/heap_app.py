"""A heap of ordinary objects that requests read, copy and throw away: `heap_app:app`.

Each path answers `well` if what it found was right, and with status 500 if not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

COUNT = 600


class Item:
    def __init__(self, number: int) -> None:
        self.number = number + 100_000
        self.name = f"item {number}"
        self.price = Decimal(number) / 100
        self.tags = [f"a{number}", f"b{number}"]
        self.weights = {f"k{number}": number / 3, "half": number / 2}


def digest(items: list[Item]) -> str:
    found = hashlib.sha256()
    for item in items:
        text = f"{item.number} {item.name} {item.price} {item.tags} {sorted(item.weights.items())}"
        found.update(text.encode())
    return found.hexdigest()


ITEMS = [Item(number) for number in range(COUNT)]
REPLACED = [Item(number) for number in range(COUNT)]
BLOCKS = [bytes([number % 256]) * (600 + number * 7) for number in range(500)]
EXPECTED = digest(ITEMS)
# Holes of many sizes, like those that loading leaves.
for number in range(0, 500, 3):
    BLOCKS[number] = b""


def read() -> bool:
    return digest(ITEMS) == EXPECTED


def make() -> bool:
    """Allocates blocks of many sizes and frees them again. Leaves a cycle to the collector."""
    made = [Item(number) for number in range(COUNT // 3)]
    blocks = [bytes(size) for size in range(1, 40_000, 397)]
    around: list[Any] = [made]
    around.append(around)
    text = json.dumps([vars(item) | {"price": str(item.price)} for item in made])
    return len(json.loads(text)) == COUNT // 3 and sum(map(len, blocks)) == sum(
        range(1, 40_000, 397)
    )


def replace() -> bool:
    """Replaces objects that the mold has made, some at each request."""
    start = replace.__dict__.setdefault("next", 0) % COUNT
    replace.__dict__["next"] = start + COUNT // 10
    for number in range(start, start + COUNT // 10):
        REPLACED[number] = Item(number)
        ITEMS[number].weights["half"] = number / 2
        BLOCKS[number % 500] = bytes(3_000 + number)
    return digest(REPLACED) == EXPECTED


PATHS: dict[str, Callable[[], bool]] = {"/read": read, "/make": make, "/replace": replace}


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    is_well = PATHS[environ["PATH_INFO"]]()
    start_response("200 OK" if is_well else "500 Internal Server Error", [])
    return [b"well" if is_well else b"wrong"]
