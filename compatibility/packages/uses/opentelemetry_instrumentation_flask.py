"""A Flask application instrumented at import."""

from flask import Flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)


@app.get("/<int:number>")
def answer(number: int) -> str:
    span = trace.get_current_span()
    span.set_attribute("number", number)
    last = [each.attributes.get("http.route") for each in kept.get_finished_spans()]
    kept.clear()
    return f"{span.name} {number} {span.is_recording()} {set(last) <= {'/<int:number>'}}"
