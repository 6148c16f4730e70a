"""Routes with models, a dependency and a lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from pydantic import BaseModel


class Answer(BaseModel):
    number: int
    words: list[str]
    state: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.word = "started"
    yield


app = FastAPI(lifespan=lifespan)


def words(number: int) -> list[str]:
    return ["word"] * (number % 3)


@app.get("/{number}")
async def answer(number: int, words: list[str] = Depends(words)) -> Answer:  # noqa: B008
    return Answer(number=number, words=words, state=app.state.word)
