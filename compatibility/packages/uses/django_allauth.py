"""Accounts with a provider; its forms and adapters."""

from uses import django_site

django_site.configure(
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    middleware=("allauth.account.middleware.AccountMiddleware",),
)

from allauth.account.adapter import get_adapter  # noqa: E402
from allauth.account.models import EmailAddress  # noqa: E402
from allauth.account.utils import filter_users_by_email  # noqa: E402
from allauth.socialaccount import providers  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    user, _ = User.objects.get_or_create(username=f"user{number}")
    EmailAddress.objects.get_or_create(user=user, email=f"u{number}@herd.example", primary=True)
    found = filter_users_by_email(f"u{number}@herd.example")
    adapter = get_adapter(request)
    names = [provider.id for provider in providers.registry.get_class_list()]
    return f"{[each.username for each in found]} {adapter.clean_username(f'new{number}')} {names}"


app = django_site.serve(answer, accounts="allauth.urls")
