"""The production settings of `wagtail start`, with the additions of a deployment."""

import os

from demo.settings.production import *  # noqa: F403
from demo.settings.production import INSTALLED_APPS, MIDDLEWARE

SECRET_KEY = "a-secret-of-the-test-that-is-long-enough-to-please-the-checks-of-django"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.postgres",
    "wagtail.api.v2",
    "wagtail.contrib.settings",
    "wagtail.contrib.sitemaps",
]
MIDDLEWARE = [MIDDLEWARE[0], "whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE[1:]]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": os.environ["PGPORT"],
        "NAME": os.environ["PGDATABASE"],
        "USER": "postgres",
        "CONN_MAX_AGE": 60,
    }
}
CACHES = {
    name: {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
        "KEY_PREFIX": name,
    }
    for name in ("default", "renditions")
}
