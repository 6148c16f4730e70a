"""Models made at import, with validators, a union and a generic."""

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

Kind = TypeVar("Kind")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    born: date


class Page(BaseModel, Generic[Kind]):
    number: int
    items: list[Kind]

    @field_validator("number")
    @classmethod
    def is_even(cls, number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
pages = TypeAdapter(Page[Pet])


def answer(number: int) -> str:
    items = [{"kind": "cat", "lives": number % 12}, {"kind": "dog", "born": "2026-01-02"}]
    try:
        page = pages.validate_python({"number": number, "items": items})
        return page.model_dump_json()
    except ValidationError as error:
        return f"{number} {error.json(include_url=False)}"
