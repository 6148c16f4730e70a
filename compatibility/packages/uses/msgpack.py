"""Packing and unpacking, with a custom type."""

import datetime

import msgpack

packer = msgpack.Packer(datetime=True)


def answer(number: int) -> str:
    value = {
        "number": number,
        "bytes": bytes(range(number)),
        "when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "own": msgpack.ExtType(5, str(number).encode()),
    }
    data = packer.pack(value)
    unpacker = msgpack.Unpacker(timestamp=3)
    unpacker.feed(data + msgpack.packb([number, None]))
    return f"{data.hex()} {list(unpacker)}"
