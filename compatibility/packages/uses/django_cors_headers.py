"""The middleware answers a request from another origin."""

from uses import django_site

django_site.configure(
    "corsheaders",
    middleware=("corsheaders.middleware.CorsMiddleware",),
    CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://\w+\.example$"],
)

from corsheaders.conf import conf  # noqa: E402
from corsheaders.middleware import CorsMiddleware  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    request.META["HTTP_ORIGIN"] = f"https://shop{number}.example"
    response = CorsMiddleware(lambda request: HttpResponse())(request)
    allowed = response.headers.get("access-control-allow-origin")
    return f"{number} {allowed} {conf.CORS_PREFLIGHT_MAX_AGE}"


app = django_site.serve(answer)
