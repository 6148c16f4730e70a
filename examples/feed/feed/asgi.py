"""The ASGI application: `gunicorn -k uvicorn_worker.UvicornWorker feed.asgi`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")
application = get_asgi_application()

# As in wsgi.py: load the URLs, the views and the site's data before the fork.
import feed.urls  # noqa: F401
