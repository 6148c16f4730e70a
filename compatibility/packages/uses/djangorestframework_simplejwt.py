"""Tokens that are signed and verified."""

from datetime import UTC, datetime

from uses import django_site

django_site.configure("rest_framework", "rest_framework_simplejwt")

from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from rest_framework_simplejwt.authentication import JWTAuthentication  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    user, _ = User.objects.get_or_create(username=f"user{number}", is_active=True)
    refresh = RefreshToken.for_user(user)
    token = AccessToken(str(refresh.access_token))
    found = JWTAuthentication().get_user(token)
    token.set_exp(from_time=datetime(2026, 1, 1, tzinfo=UTC))
    return f"{found.username} {token['token_type']} {token['exp']} {len(str(refresh)) > 100}"


app = django_site.serve(answer)
