"""Metrics registered at import, and a new registry for each request."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

counter = Counter("requests", "Requests", ["path"])


def answer(number: int) -> str:
    counter.labels(path=str(number)).inc()
    registry = CollectorRegistry()
    gauge = Gauge("number", "Number", registry=registry)
    gauge.set(number)
    histogram = Histogram("size", "Size", buckets=(1, 10, 100), registry=registry)
    histogram.observe(number)
    lines = generate_latest(registry).decode().splitlines()
    own = f'requests_total{{path="{number}"}}' in generate_latest().decode()
    return "\n".join([*(line for line in lines if "_created" not in line), str(own)])
