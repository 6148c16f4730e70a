"""A pool made at the first request, under an ASGI worker."""

import asyncio
import os

import asyncpg

pools: dict[asyncio.AbstractEventLoop, asyncpg.Pool] = {}


async def answer(number: int) -> str:
    loop = asyncio.get_running_loop()
    if loop not in pools:
        pools[loop] = await asyncpg.create_pool(
            host="127.0.0.1",
            port=int(os.environ["COWHERD_POSTGRESQL_PORT"]),
            user="cowherd",
            database="postgres",
            min_size=1,
            max_size=2,
        )
    async with pools[loop].acquire() as connection:
        rows = await connection.fetch(
            "select $1::int as number, generate_series(1, 3) as n", number
        )
        return str([dict(row) for row in rows])
