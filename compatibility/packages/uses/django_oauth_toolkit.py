"""An application and its grants."""

from uses import django_site

django_site.configure("oauth2_provider")

from django.http import HttpRequest  # noqa: E402
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    application, _ = get_application_model().objects.get_or_create(
        client_id=f"client-{number}",
        defaults={
            "name": f"app {number}",
            "client_type": "confidential",
            "authorization_grant_type": "authorization-code",
            "redirect_uris": f"https://herd{number}.example/back",
        },
    )
    allowed = application.redirect_uri_allowed(f"https://herd{number}.example/back")
    validator = OAuth2Validator()
    return (
        f"{application.name} {allowed} {application.is_usable(request)} {type(validator).__name__}"
    )


app = django_site.serve(answer, oauth="oauth2_provider.urls")
