"""OpenTelemetry's SDK, set up in code: a span while the application loads, and one per request."""

import os

from flask import Flask, request
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

endpoint = f"http://127.0.0.1:{os.environ['DELIVERIES_PORT']}/v1/traces"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("deliveries")

with tracer.start_as_current_span("load", attributes={"delivery": "import"}):
    app = Flask(__name__)


@app.get("/")
def index() -> str:
    number = request.args["number"]
    with tracer.start_as_current_span("answer", attributes={"delivery": number}):
        return number
