"""Django's cache in Redis, used at import."""

import os

from uses import django_site

django_site.configure(
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{os.environ['COWHERD_REDIS_PORT']}/5",
        }
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
)

from django.core.cache import cache  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402

cache.set("django-redis", "at import")


def answer(request: HttpRequest, number: int) -> str:
    cache.set(f"dr-{number}", {"number": number}, 60)
    request.session["number"] = number
    request.session.save()
    time = 0 < cache.ttl(f"dr-{number}") <= 60
    raw = get_redis_connection("default").incrby(f"raw-{number}", 0)
    return f"{cache.get(f'dr-{number}')} {cache.get('django-redis')} {time} {raw}"


app = django_site.serve(answer)
