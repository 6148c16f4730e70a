"""A sink with a queue and its thread, added at import; another sink for each request."""

import sys

from loguru import logger

logger.remove()
logger.add(sys.stderr, level="ERROR", enqueue=True)
logger.debug("loaded")


def answer(number: int) -> str:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message} {extra[number]}", catch=False)
    bound = logger.bind(number=number)
    bound.info("value {}", number * 2)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        bound.opt(exception=False).warning("divided")
    logger.remove(sink)
    return "".join(lines)
