"""A schema generated from views, with its own inspectors."""

from uses import django_site

django_site.configure(
    "rest_framework",
    "drf_spectacular",
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
)

from django.contrib.auth.models import Group  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from drf_spectacular.generators import SchemaGenerator  # noqa: E402
from rest_framework import serializers, viewsets  # noqa: E402
from rest_framework.routers import SimpleRouter  # noqa: E402


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ("name",)


class Groups(viewsets.ModelViewSet):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer


router = SimpleRouter()
router.register("groups", Groups)


def answer(request: HttpRequest, number: int) -> str:
    schema = SchemaGenerator(patterns=router.urls, api_version=str(number)).get_schema(public=True)
    return f"{number} {schema['info']} {sorted(schema['paths'])} {schema['components']}"


app = django_site.serve(answer)
