"""Its own fields, commands and graph data of models."""

from uses import django_site

django_site.configure("django_extensions")

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import get_commands  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.utils.text import slugify  # noqa: E402
from django_extensions.db.fields import AutoSlugField  # noqa: E402
from django_extensions.management.modelviz import generate_graph_data  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    field = AutoSlugField(populate_from="name", max_length=number + 1)
    data = generate_graph_data(["auth"], exclude_models=[])
    models = sorted(model["name"] for graph in data["graphs"] for model in graph["models"])
    known = get_commands()["runserver_plus"]
    slug = field.slugify_func(f"Word {number}!", slugify)
    return f"{field.max_length} {slug} {models} {known} {User.__name__}"


app = django_site.serve(answer)
