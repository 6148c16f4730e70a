"""Flags, switches and samples."""

from uses import django_site

django_site.configure("waffle", middleware=("waffle.middleware.WaffleMiddleware",))

import waffle  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from waffle.models import Flag, Switch  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    Switch.objects.get_or_create(name=f"switch-{number}", defaults={"active": number % 2 == 0})
    Flag.objects.get_or_create(name=f"flag-{number}", defaults={"everyone": number % 3 == 0})
    on = waffle.switch_is_active(f"switch-{number}")
    return f"{number} {on} {waffle.flag_is_active(request, f'flag-{number}')}"


app = django_site.serve(answer)
