"""Serializers, a view with throttling and a router."""

from uses import django_site

django_site.configure("rest_framework")

from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402


class UserSerializer(serializers.ModelSerializer):
    shout = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("username", "email", "shout")

    def get_shout(self, user: User) -> str:
        return user.username.upper()


@api_view(["GET"])
def show(request: Request, number: int) -> Response:
    user, _ = User.objects.get_or_create(username=f"u{number}")
    checked = UserSerializer(user, data={"email": f"{number}@x" if number % 2 else "a@b.example"})
    checked.is_valid()
    return Response({"user": UserSerializer(user).data, "errors": checked.errors})


def answer(request: HttpRequest, number: int) -> HttpResponse:
    response = show(request, number=number)
    return response.render()


app = django_site.serve(answer)
