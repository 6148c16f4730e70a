"""An S3 storage made at import, whose addresses are signed without a server."""

from uses import django_site

django_site.configure(
    "storages",
    STORAGES={
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "access_key": "key",
                "secret_key": "secret",
                "bucket_name": "herd",
                "region_name": "eu-west-1",
            },
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
)

from django.core.files.storage import default_storage  # noqa: E402
from django.http import HttpRequest  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    address = default_storage.url(f"file {number}.txt").split("?")[0]
    return f"{address} {default_storage.get_valid_name(f'a b {number}!.txt')}"


app = django_site.serve(answer)
