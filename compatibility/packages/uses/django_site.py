"""A small Django site for the uses of Django and its apps: settings, database, one view.

The database is an SQLite file for this server only, made at import as in a deployment.
"""

import os
import traceback
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

CONTRIB = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
urlpatterns: list[Any] = []


def configure(*apps: str, middleware: tuple[str, ...] = (), **more: Any) -> None:
    """Sets Django up with these apps in addition to its own, and makes the tables."""
    database = os.path.join(os.environ["COWHERD_SCRATCH"], "db.sqlite3")
    values: dict[str, Any] = {
        "ALLOWED_HOSTS": ["*"],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
            }
        },
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [*CONTRIB, *apps],
        "MIDDLEWARE": [*MIDDLEWARE, *middleware],
        "ROOT_URLCONF": __name__,
        "SECRET_KEY": "not a secret, and long enough for what signs with it",
        "SITE_ID": 1,
        "STATIC_URL": "/static/",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "USE_TZ": True,
    }
    settings.configure(**(values | more))
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)


def serve(answer: Callable[[HttpRequest, int], Any], **included: str) -> Any:
    """The application, with the view at /NUMBER; `included` are more URL modules by prefix."""

    def view(request: HttpRequest, number: int) -> HttpResponse:
        try:
            result = answer(request, number)
        except Exception:
            # The error is the answer, as in application.py.
            return HttpResponse(traceback.format_exc(), status=500)
        return result if isinstance(result, HttpResponse) else HttpResponse(str(result))

    urlpatterns.append(path("<int:number>", view))
    for prefix, module in included.items():
        urlpatterns.append(path(f"{prefix}/", include(module)))
    return get_wsgi_application()
