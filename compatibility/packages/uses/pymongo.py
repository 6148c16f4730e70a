"""A client made at import with its threads, whose server doesn't exist; and bson."""

import datetime

import bson
from bson import json_util
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

client: MongoClient = MongoClient(
    "127.0.0.1", 1, serverSelectionTimeoutMS=20, connectTimeoutMS=20, connect=False
)


def answer(number: int) -> str:
    document = {
        "_id": bson.ObjectId(f"{number:024x}"),
        "when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "list": [number, number / 2, None],
    }
    data = bson.encode(document)
    try:
        client.herd.items.find_one({"number": number})
        error = "none"
    except ServerSelectionTimeoutError as failure:
        error = type(failure).__name__
    return f"{data.hex()} {json_util.dumps(bson.decode(data))} {error}"
