"""Handlers with injected values and their own models."""

from dataclasses import dataclass

from litestar import Litestar, get
from litestar.di import Provide


@dataclass
class Answer:
    number: int
    words: list[str]


async def words(number: int) -> list[str]:
    return ["word"] * (number % 3)


@get("/{number:int}", dependencies={"words": Provide(words)})
async def answer(number: int, words: list[str]) -> Answer:
    return Answer(number, words)


app = Litestar([answer])
