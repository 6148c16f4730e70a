"""An API with schemas."""

from uses import django_site

django_site.configure()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path, resolve  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402

api = NinjaAPI(version="1")


class Answer(Schema):
    number: int
    words: list[str]


@api.get("/show/{number}", response=Answer)
def show(request: HttpRequest, number: int, again: int = 1) -> dict[str, object]:
    return {"number": number, "words": ["word"] * (number % 3), "hidden": again}


def answer(request: HttpRequest, number: int) -> HttpResponse:
    match = resolve(f"/api/show/{number}")
    return match.func(request, **match.kwargs)


django_site.urlpatterns.append(path("api/", api.urls))
app = django_site.serve(answer)
