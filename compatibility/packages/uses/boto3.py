"""Clients and a session made at import; signed addresses, and calls to a local server."""

import os

import boto3
from botocore.config import Config

session = boto3.session.Session("key", "secret", region_name="eu-west-1")
address = f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"
storage = session.client("s3", endpoint_url=address, config=Config(s3={"addressing_style": "path"}))
table = session.resource("dynamodb", endpoint_url=address).Table("herd")


def answer(number: int) -> str:
    post = storage.generate_presigned_post("herd", f"file-{number}", ExpiresIn=60)
    signed = storage.generate_presigned_url(
        "get_object", Params={"Bucket": "herd", "Key": f"file {number}"}
    )
    body = storage.get_object(Bucket="herd", Key=f"file-{number}")["Body"].read().decode()
    return f"{post['fields']['key']} {signed.split('?')[0].rpartition('/')[2]} {body} {table.name}"
