"""Its own choices, trackers and managers."""

from uses import django_site

django_site.configure()

from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from model_utils import Choices, FieldTracker  # noqa: E402
from model_utils.managers import QueryManager  # noqa: E402

states = Choices((0, "new", "New"), (1, "old", "Old"))


class Person(User):
    staff = QueryManager(is_staff=True)
    tracker = FieldTracker(["first_name"])

    class Meta:
        proxy = True
        app_label = "auth"


def answer(request: HttpRequest, number: int) -> str:
    person, _ = Person.objects.get_or_create(username=f"p{number}")
    person.first_name = f"name {number}"
    changed = person.tracker.changed()
    has_changed = person.tracker.has_changed("first_name")
    return f"{number} {changed} {has_changed} {states[number % 2]} {states.old}"


app = django_site.serve(answer)
