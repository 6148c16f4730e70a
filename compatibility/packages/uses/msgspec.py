"""Structures, encoders and decoders made at import."""

from datetime import UTC, datetime

import msgspec


class Item(msgspec.Struct, tag=True, frozen=True):
    name: str
    price: float
    made: datetime


class Box(msgspec.Struct, tag=True, gc=False):
    items: list[Item]
    number: int = 0


encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder(Box | Item)
packer = msgspec.msgpack.Encoder()
unpacker = msgspec.msgpack.Decoder(Box)
made = datetime(2026, 1, 1, tzinfo=UTC)


def answer(number: int) -> str:
    box = Box([Item(f"i{n}", n / 4, made) for n in range(number % 5)], number)
    text = encoder.encode(box)
    back = decoder.decode(text)
    packed = packer.encode(box)
    try:
        decoder.decode(b'{"type":"Item","name":1}')
        error = ""
    except msgspec.ValidationError as failure:
        error = str(failure)
    return f"{text.decode()} {back == box} {unpacker.decode(packed) == box} {packed.hex()} {error}"
