"""A resource that is exported and imported."""

from uses import django_site

django_site.configure("import_export")

from django.contrib.auth.models import Group  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from import_export import resources  # noqa: E402
from tablib import Dataset  # noqa: E402


class GroupResource(resources.ModelResource):
    class Meta:
        model = Group
        fields = ("name",)
        import_id_fields = ("name",)


def answer(request: HttpRequest, number: int) -> str:
    rows = Dataset([f"group {number}"], headers=["name"])
    result = GroupResource().import_data(rows, dry_run=False)
    written = GroupResource().export(Group.objects.filter(name=f"group {number}"))
    return f"{result.has_errors()} {written.json} {written.csv}"


app = django_site.serve(answer)
