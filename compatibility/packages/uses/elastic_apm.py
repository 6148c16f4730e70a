"""A client made at import, with its thread; a transaction in each request."""

import os

import elasticapm

client = elasticapm.Client(
    service_name="herd",
    server_url=f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}",
    central_config=False,
    cloud_provider="none",
    metrics_interval="0s",
)
elasticapm.instrument()


def answer(number: int) -> str:
    transaction = client.begin_transaction("request")
    with elasticapm.capture_span("part") as span:
        elasticapm.label(number=number)
    try:
        1 // (number % 2)
        error = False
    except ZeroDivisionError:
        error = client.capture_exception() is not None
    client.end_transaction(f"t{number}", "success")
    return f"{transaction.name} {number} {span is not None} {error}"
