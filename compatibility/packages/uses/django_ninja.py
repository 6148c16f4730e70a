"""An API with schemas."""

from uses import django_site

django_site.configure()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402

api = NinjaAPI(version="1")


class Answer(Schema):
    number: int
    words: list[str]


@api.get("/show/{number}", response=Answer)
def show(request: HttpRequest, number: int, again: int = 1) -> dict[str, object]:
    return {"number": number, "words": ["word"] * (number % 3), "hidden": again}


def answer(request: HttpRequest, number: int) -> HttpResponse:
    operation = api._routers[0][1].path_operations["/show/{number}"]
    return operation.get_view()(request, number=number)


django_site.urlpatterns.append(path("api/", api.urls))
app = django_site.serve(answer)
