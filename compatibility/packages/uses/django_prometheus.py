"""Middleware that measures requests, and a database backend that counts."""

from uses import django_site

django_site.configure(
    "django_prometheus",
    middleware=(
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ),
)

from django.http import HttpRequest  # noqa: E402
from django_prometheus.conf import NAMESPACE  # noqa: E402
from prometheus_client import REGISTRY, Counter  # noqa: E402

counter = Counter("herd_requests", "Requests", ["number"])


def answer(request: HttpRequest, number: int) -> str:
    counter.labels(number).inc()
    counted = REGISTRY.get_sample_value("herd_requests_total", {"number": str(number)}) >= 1
    seen = REGISTRY.get_sample_value("django_http_requests_before_middlewares_total") >= 1
    return f"{number} {counted} {seen} {NAMESPACE!r}"


app = django_site.serve(answer)
