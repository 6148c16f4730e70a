"""Patched at import by `import ddtrace.auto`; the agent that it sends to doesn't exist."""

import ddtrace.auto  # noqa: F401
from ddtrace.trace import tracer

with tracer.trace("loading"):
    pass


def answer(number: int) -> str:
    with tracer.trace("request", service="herd", resource=f"r{number}") as span:
        span.set_tag("number", number)
        with tracer.trace("part") as part:
            inner = part.trace_id == span.trace_id and part.parent_id == span.span_id
    return f"{span.name} {span.resource} {number} {inner} {span.duration is not None}"
