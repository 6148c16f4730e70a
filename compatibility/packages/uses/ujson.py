"""JSON written and read again."""

import ujson

stored = ujson.dumps({"made": "at import", "numbers": list(range(20))})


def answer(number: int) -> str:
    value = ujson.loads(stored)
    value["number"] = number / 8
    value["text"] = "ü" * number
    text = ujson.dumps(value, ensure_ascii=False, sort_keys=True, escape_forward_slashes=False)
    return text + str(ujson.loads(text) == value)
