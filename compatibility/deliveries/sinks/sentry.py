"""A server that accepts Sentry's envelopes: `sentry.py PORT FILE`.

The format of an envelope: https://develop.sentry.dev/sdk/data-model/envelopes/
"""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from notes import Notes
from web_server import serve

notes = Notes(sys.argv[2])


def receive(path: str, body: bytes) -> bytes:
    notes.add(key for kind, item in items_of(body) for key in keys_of(kind, item))
    return b"{}"


def items_of(envelope: bytes) -> Iterator[tuple[str, bytes]]:
    """Type and payload of each item of an envelope."""
    _, _, rest = envelope.partition(b"\n")
    while rest.strip():
        head, _, rest = rest.partition(b"\n")
        header: dict[str, Any] = json.loads(head)
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:].removeprefix(b"\n")
        yield header["type"], payload


def keys_of(kind: str, item: bytes) -> Iterator[str]:
    """Keys of the deliveries in an item. Sessions and reports of the client don't count."""
    if kind == "transaction":
        transaction = json.loads(item)
        query = transaction.get("request", {}).get("query_string", "")
        numbers = parse_qs(query).get("number")
        yield numbers[0] if numbers else f"transaction {transaction.get('transaction')}"
    elif kind == "event":
        event = json.loads(item)
        yield event.get("message") or f"event {event.get('event_id')}"


serve(int(sys.argv[1]), receive)
