"""The WSGI application: `gunicorn feed.wsgi`, `cowherd serve feed.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")
application = get_wsgi_application()

import feed.loading  # noqa: E402, F401  (needs the settings that the line above loaded)
