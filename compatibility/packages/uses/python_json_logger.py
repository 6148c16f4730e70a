"""A handler with a JSON formatter, made at import."""

import io
import json
import logging

from pythonjsonlogger.json import JsonFormatter

formatter = JsonFormatter(
    "%(levelname)s %(name)s %(message)s", rename_fields={"levelname": "level"}
)
handler = logging.StreamHandler()
handler.setFormatter(formatter)
logging.getLogger("herd").addHandler(handler)


def answer(number: int) -> str:
    text = io.StringIO()
    own = logging.StreamHandler(text)
    own.setFormatter(formatter)
    logger = logging.Logger("own")
    logger.addHandler(own)
    logger.warning("value %d", number, extra={"number": number})
    return json.dumps(json.loads(text.getvalue()), sort_keys=True)
