"""Tells which delivery an OpenTelemetry span is.

Spans that the applications here make have it in an attribute. Spans of Flask's instrumentation have
the number of the request in their URL: `http.target` in the semantic conventions before 1.23,
`url.query` since then.
"""

from collections.abc import Iterator
from urllib.parse import parse_qs

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def keys_of(request: ExportTraceServiceRequest) -> Iterator[str]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from map(_key_of, scope_spans.spans)


def _key_of(span: Span) -> str:
    attributes = {each.key: each.value.string_value for each in span.attributes}
    if "delivery" in attributes:
        return attributes["delivery"]
    target = attributes.get("url.query") or attributes.get("http.target", "")
    numbers = parse_qs(target.partition("?")[2] or target).get("number")
    return numbers[0] if numbers else f"span {span.name}"
