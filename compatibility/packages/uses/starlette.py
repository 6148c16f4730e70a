"""Routes, middleware and a background task."""

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def work(number: int) -> None:
    assert number >= 0


async def answer(request: Request) -> Response:
    number = request.path_params["number"]
    body = {"number": number, "url": str(request.url.path), "words": ["w"] * (number % 4)}
    return JSONResponse(body, background=BackgroundTask(work, number))


app = Starlette(
    routes=[Route("/{number:int}", answer)],
    middleware=[Middleware(GZipMiddleware, minimum_size=10_000)],
)
