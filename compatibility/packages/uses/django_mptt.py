"""Trees of a model."""

from uses import django_site

django_site.configure("mptt")

from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from mptt.models import MPTTModel, TreeForeignKey  # noqa: E402


class Place(MPTTModel):
    name = models.CharField(max_length=30)
    parent = TreeForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")

    class Meta:
        app_label = "mptt"


if Place._meta.db_table not in connection.introspection.table_names():
    with connection.schema_editor() as editor:
        editor.create_model(Place)


def answer(request: HttpRequest, number: int) -> str:
    with transaction.atomic():
        root = Place.objects.create(name=f"root {number}")
        below = Place.objects.create(name=f"below {number}", parent=root)
        Place.objects.create(name=f"deep {number}", parent=below)
        root.refresh_from_db()
        names = [(each.name, each.level) for each in root.get_descendants(include_self=True)]
        root.delete()
    return str(names)


app = django_site.serve(answer)
