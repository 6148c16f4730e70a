"""Models, forms, templates, sessions, the cache and the admin of Django itself."""

from uses import django_site

django_site.configure()

from django import forms  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.signing import dumps, loads  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.template import engines  # noqa: E402
from django.utils import translation  # noqa: E402

template = engines["django"].from_string("{% for u in users %}{{ u.username|upper }} {% endfor %}")


class NumberForm(forms.Form):
    number = forms.IntegerField(max_value=25)


def answer(request: HttpRequest, number: int) -> str:
    group, _ = Group.objects.get_or_create(name=f"group {number}")
    user, _ = User.objects.get_or_create(username=f"user{number}")
    user.groups.add(group)
    counted = Group.objects.filter(pk=group.pk).annotate(n=Count("user")).values_list("name", "n")
    request.session["number"] = number
    cache.set(f"n{number}", number)
    form = NumberForm({"number": number})
    form.is_valid()
    with translation.override("de"):
        words = form.errors.as_text()
    text = template.render({"users": [user]})
    return f"{list(counted)} {text} {cache.get(f'n{number}')} {words} {loads(dumps(number))}"


app = django_site.serve(answer)
