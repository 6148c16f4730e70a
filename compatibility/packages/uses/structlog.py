"""Configured at import; loggers with context variables in each request."""

import io
import logging

import structlog

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(sort_keys=True),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    cache_logger_on_first_use=True,
    logger_factory=structlog.PrintLoggerFactory(file=io.StringIO()),
)
logger = structlog.get_logger(made="at import")


def answer(number: int) -> str:
    text = io.StringIO()
    own = structlog.wrap_logger(structlog.PrintLogger(text), wrapper_class=None)
    with structlog.contextvars.bound_contextvars(number=number):
        logger.info("shared")
        own.info("own", word="w" * number)
    return text.getvalue()
