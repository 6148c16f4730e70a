"""Validators made at import; their references are persistent maps in Rust."""

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

part = Resource.from_contents(
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "integer", "maximum": 25}
)
validator = Draft202012Validator(
    {
        "type": "object",
        "properties": {"number": {"$ref": "urn:part"}, "day": {"format": "date"}},
        "required": ["word"],
    },
    registry=Registry().with_resource("urn:part", part),
    format_checker=FormatChecker(),
)


def answer(number: int) -> str:
    value = {"number": number, "day": f"2026-01-{number:02}"}
    errors = sorted(error.message for error in validator.iter_errors(value))
    return f"{number} {errors}"
