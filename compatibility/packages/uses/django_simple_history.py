"""A history of a model, registered at import."""

from uses import django_site

django_site.configure("simple_history")

from django.contrib.auth.models import Group  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from simple_history import register  # noqa: E402
from simple_history.utils import get_history_manager_for_model  # noqa: E402

register(Group)
HistoricalGroup = get_history_manager_for_model(Group).model
if HistoricalGroup._meta.db_table not in connection.introspection.table_names():
    with connection.schema_editor() as editor:
        editor.create_model(HistoricalGroup)


def answer(request: HttpRequest, number: int) -> str:
    with transaction.atomic():
        group, _ = Group.objects.get_or_create(name=f"group {number}")
        group.name = f"new name {number}"
        group.save()
        kinds = [(each.name, each.history_type) for each in group.history.all()[:2]]
        group.delete()
    return f"{kinds}"


app = django_site.serve(answer)
