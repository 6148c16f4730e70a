"""JSON written and read again, with types that only orjson can write."""

import dataclasses
import datetime
import uuid

import orjson


@dataclasses.dataclass
class Item:
    number: int
    day: datetime.date
    id: uuid.UUID


constant = orjson.Fragment(b'{"made":"at import"}')


def answer(number: int) -> str:
    item = Item(number, datetime.date(2026, 1, 1 + number % 28), uuid.UUID(int=number))
    text = orjson.dumps(
        {"item": item, "fragment": constant, "text": "ü" * number},
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
    )
    return text.decode() + str(orjson.loads(text)["item"])
