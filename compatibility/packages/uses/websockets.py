"""A server and a client in each request."""

import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve


async def double(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message * 2)


async def ask(number: int) -> str:
    async with serve(double, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as connection:
            await connection.send(f"n{number} ")
            return str(await connection.recv())


def answer(number: int) -> str:
    return asyncio.run(ask(number))
