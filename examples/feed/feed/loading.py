"""Import this to load the whole site now, before the fork if the server preloads.

Django loads much only at the first request: the URLs, which import the views and the site's data;
templates with their tag libraries; the SQL compiler. After the fork each worker would load them
into its own memory.
"""

import logging
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.template.loader import get_template

import_module("feed.urls")
import_module("django.contrib.auth.context_processors")
import_module("django.contrib.messages.context_processors")
import_module("django.contrib.messages.storage.fallback")
import_module("django.contrib.sessions.serializers")
import_module("django.db.models.sql.compiler")
get_template("timeline/home.html")

database = Path(settings.DATABASES["default"]["NAME"])
if not database.exists():
    logging.getLogger(__name__).warning("%s is not there: run manage.py prepare first", database)
