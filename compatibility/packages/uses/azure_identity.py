"""A credential made at import, which requests tokens from a local server."""

import os

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

credential = ClientSecretCredential(
    "00000000-0000-0000-0000-000000000001",
    "client",
    "secret",
    authority=f"https://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}",
    disable_instance_discovery=True,
    retry_total=0,
)


def answer(number: int) -> str:
    # The local server has no TLS, so the request fails at the socket, after all of the client's
    # code.
    try:
        credential.get_token(f"https://herd{number}.example/.default")
        error = "none"
    except ClientAuthenticationError as failure:
        error = type(failure).__name__
    try:
        CertificateCredential("tenant", "client", certificate_data=b"no certificate")
        second = "none"
    except ValueError as failure:
        second = str(failure)[:40]
    return f"{number} {error} {second}"
