"""Settings, each from the environment with a default that is safe on a developer's machine."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

# Anyone can read this default: it protects nothing. Sessions are signed with it, so a site that
# others can reach sets FEED_SECRET_KEY.
DEVELOPMENT_ONLY_SECRET_KEY = "development-only-not-a-secret-set-FEED_SECRET_KEY-instead"
SECRET_KEY = os.environ.get("FEED_SECRET_KEY") or DEVELOPMENT_ONLY_SECRET_KEY

DEBUG = os.environ.get("FEED_DEBUG", "") == "1"
ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("FEED_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
    if host.strip()
]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "feed.posts",
    "feed.timeline",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "feed.urls"
WSGI_APPLICATION = "feed.wsgi.application"
ASGI_APPLICATION = "feed.asgi.application"

TEMPLATES = [
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
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("FEED_DATABASE") or BASE_DIR / "feed.sqlite3",
        # A worker opens its connection at its first request and keeps it, as with a database
        # server. The server that forks has to make sure that no connection crosses a fork.
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions are kept in the signed cookie, so that a visit writes nothing. Otherwise eight workers
# would queue for SQLite's one writer, which would be a benchmark of SQLite.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

# The site's texts come from feed.site_data.strings, not from gettext.
USE_I18N = False
# The same time zone in the log lines of all processes: Django sets that of the process.
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
