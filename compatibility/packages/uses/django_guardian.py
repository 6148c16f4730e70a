"""Permissions for single objects."""

from uses import django_site

django_site.configure(
    "guardian",
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "guardian.backends.ObjectPermissionBackend",
    ],
)

from django.contrib.auth.models import Group, User  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from guardian.shortcuts import assign_perm, get_objects_for_user  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    user, _ = User.objects.get_or_create(username=f"user{number}")
    group, _ = Group.objects.get_or_create(name=f"group {number}")
    assign_perm("auth.change_group", user, group)
    again = User.objects.get(pk=user.pk)
    mine = get_objects_for_user(again, "auth.change_group")
    return f"{again.has_perm('auth.change_group', group)} {[each.name for each in mine]}"


app = django_site.serve(answer)
