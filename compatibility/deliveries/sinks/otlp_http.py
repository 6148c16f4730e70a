"""A collector of OpenTelemetry that speaks OTLP over HTTP: `otlp_http.py PORT FILE`."""

import sys

from notes import Notes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from span_keys import keys_of
from web_server import serve

notes = Notes(sys.argv[2])


def receive(path: str, body: bytes) -> bytes:
    # Metrics and logs, which the exporters send too, are accepted without counting them.
    if path == "/v1/traces":
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        notes.add(keys_of(request))
    return b""


serve(int(sys.argv[1]), receive)
