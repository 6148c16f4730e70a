"""Synchronous functions called from asynchronous ones, and the other way round."""

import asyncio

from asgiref.local import Local
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.wsgi import WsgiToAsgi

local = Local()


@sync_to_async
def slow(number: int) -> int:
    return number * number


async def several(number: int) -> list[int]:
    local.number = number
    return list(await asyncio.gather(*(slow(n) for n in range(number % 6))))


def answer(number: int) -> str:
    return f"{number} {async_to_sync(several)(number)} {WsgiToAsgi(None) is not None}"
