"""A client made at import; the server echoes its requests."""

import os

from elasticsearch import Elasticsearch
from elasticsearch.exceptions import UnsupportedProductError
from elasticsearch.serializer import JsonSerializer

client = Elasticsearch(f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}")


def answer(number: int) -> str:
    try:
        client.search(index="herd", query={"match": {"number": number}})
        error = "none"
    except UnsupportedProductError as failure:
        error = type(failure).__name__
    text = JsonSerializer().dumps({"number": number, "list": [1, None]})
    return f"{number} {error} {text.decode()}"
