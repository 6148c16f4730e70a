"""Schemas made at import."""

from marshmallow import Schema, ValidationError, fields, post_load, validate


class Item(Schema):
    name = fields.String(required=True)
    price = fields.Decimal(as_string=True)


class Box(Schema):
    number = fields.Integer(validate=validate.Range(max=25))
    items = fields.List(fields.Nested(Item))

    @post_load
    def mark(self, data: dict[str, object], **_: object) -> dict[str, object]:
        return data | {"loaded": True}


schema = Box()


def answer(number: int) -> str:
    try:
        value = schema.load({"number": number, "items": [{"name": "a", "price": f"{number}.5"}]})
        return f"{value} {schema.dump(value)}"
    except ValidationError as error:
        return f"{number} {error.messages}"
