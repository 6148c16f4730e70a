"""A client's session made in each worker at its first request, under an ASGI worker."""

import os

import aiohttp
from yarl import URL

address = URL(f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}/")
sessions: list[aiohttp.ClientSession] = []


async def answer(number: int) -> str:
    if not sessions:
        sessions.append(aiohttp.ClientSession())
    async with sessions[0].post(address / f"n{number}", data={"word": "w" * number}) as response:
        body = await response.json()
    return f"{body} {response.status} {address.with_query(n=number).query_string}"
