"""A client with a key made at import; signatures, and calls to a local server."""

import os
from datetime import UTC, datetime

from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

KEY = "a2V5" * 16
client = BlobServiceClient(
    f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}/herd", credential=KEY, retry_total=0
)


def answer(number: int) -> str:
    blob = client.get_blob_client("box", f"file-{number}.txt")
    signature = generate_blob_sas(
        "herd",
        "box",
        blob.blob_name,
        account_key=KEY,
        permission=BlobSasPermissions(read=True),
        expiry=datetime(2030, 1, 1, number % 24, tzinfo=UTC),
    )
    try:
        body = blob.download_blob().readall().decode()
    except Exception as error:
        body = type(error).__name__
    return f"{blob.url.rpartition('/')[2]} {signature} {body}"
