"""Installed and off, as in production; its panels count the queries of a request."""

from uses import django_site

django_site.configure(
    "debug_toolbar", middleware=("debug_toolbar.middleware.DebugToolbarMiddleware",), DEBUG=False
)

from debug_toolbar.panels.sql.utils import reformat_sql  # noqa: E402
from debug_toolbar.toolbar import DebugToolbar  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    toolbar = DebugToolbar(request, lambda request: HttpResponse(str(number)))
    names = [panel.panel_id for panel in toolbar.panels]
    return f"{reformat_sql(f'select * from t where n = {number}')} {names}"


app = django_site.serve(answer, debug="debug_toolbar.urls")
