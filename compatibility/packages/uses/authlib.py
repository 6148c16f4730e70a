"""A server's metadata, tokens and keys."""

import warnings

warnings.simplefilter("ignore")

from authlib.common.urls import add_params_to_uri  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: E402

session = OAuth2Session("client", "secret", redirect_uri="https://herd.example/back", scope="a b")


def answer(number: int) -> str:
    address, state = session.create_authorization_url(
        "https://herd.example/authorize", state=f"state-{number}", code_verifier="v" * 43
    )
    challenge = create_s256_code_challenge(f"{number:043}")
    return f"{address} {state} {challenge} {add_params_to_uri('https://x', [('n', number)])}"
