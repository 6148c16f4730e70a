"""A set of filters over a model."""

from uses import django_site

django_site.configure("django_filters")

import django_filters  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest  # noqa: E402


class UserFilter(django_filters.FilterSet):
    like = django_filters.CharFilter(field_name="username", lookup_expr="icontains")
    order = django_filters.OrderingFilter(fields=["username"])

    class Meta:
        model = User
        fields = ("is_staff",)


def answer(request: HttpRequest, number: int) -> str:
    User.objects.get_or_create(username=f"user-{number}-x")
    found = UserFilter({"like": f"R-{number}-", "order": "-username"}, User.objects.all())
    return f"{[user.username for user in found.qs]} {found.form.as_p()}"


app = django_site.serve(answer)
