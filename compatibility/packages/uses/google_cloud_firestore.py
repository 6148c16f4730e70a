"""A client made at import; documents and queries as protocol buffers."""

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1 import _helpers

client = firestore.Client(project="herd", credentials=AnonymousCredentials())


def answer(number: int) -> str:
    document = client.collection("herd").document(f"d{number}")
    values = _helpers.encode_dict({"number": number, "list": [1, "two"], "none": None})
    query = (
        client.collection("herd")
        .where(filter=firestore.FieldFilter("number", ">", number))
        .limit(number + 1)
    )
    shown = type(query._to_protobuf()).to_json(query._to_protobuf(), indent=None, sort_keys=True)
    return f"{document.path} {sorted(values)} {shown}"
