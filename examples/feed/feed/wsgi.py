"""The WSGI application: `gunicorn feed.wsgi`, `cowherd serve feed.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")
application = get_wsgi_application()

# Django loads the URLs, and by them the views and the site's data, at the first request. A site
# that preloads wants them loaded before the fork.
import feed.urls  # noqa: F401
