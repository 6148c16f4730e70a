"""Counts failed logins by its backend and its signals."""

from uses import django_site

django_site.configure(
    "axes",
    middleware=("axes.middleware.AxesMiddleware",),
    AUTHENTICATION_BACKENDS=[
        "axes.backends.AxesStandaloneBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
    AXES_FAILURE_LIMIT=1000,
)

from axes.models import AccessAttempt  # noqa: E402
from django.contrib.auth import authenticate  # noqa: E402
from django.http import HttpRequest  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    user = authenticate(request, username=f"user{number}", password="wrong")
    counted = AccessAttempt.objects.filter(username=f"user{number}").exists()
    return f"{number} {user} {counted}"


app = django_site.serve(answer)
