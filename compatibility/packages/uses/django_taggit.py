"""Tags and their slugs."""

from uses import django_site

django_site.configure("taggit")

from django.http import HttpRequest  # noqa: E402
from taggit.models import Tag  # noqa: E402
from taggit.utils import edit_string_for_tags, parse_tags  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    names = parse_tags(f'one, "two words {number}", number-{number}')
    tags = [
        Tag.objects.get_or_create(name=name, defaults={"slug": name.replace(" ", "-")})[0]
        for name in names
    ]
    return f"{names} {edit_string_for_tags(tags)} {[tag.slug for tag in tags]}"


app = django_site.serve(answer)
