"""A client without credentials, made at import; calls to a local server."""

import os

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

client = storage.Client(
    project="herd",
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"},
)
bucket = client.bucket("herd")


def answer(number: int) -> str:
    blob = bucket.blob(f"file {number}", chunk_size=262144 * (number + 1))
    found = bucket.get_blob(f"file-{number}")
    return f"{blob.path} {blob.chunk_size} {blob.public_url.rpartition('/')[2]} {found.name}"
