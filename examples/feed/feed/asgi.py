"""The ASGI application: `gunicorn -k uvicorn_worker.UvicornWorker feed.asgi`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")
application = get_asgi_application()

import feed.loading  # noqa: E402, F401  (needs the settings that the line above loaded)
