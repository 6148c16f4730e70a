"""The event loop policy set at import, and a new loop for each request."""

import asyncio

import uvloop


async def echo(number: int) -> str:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"number {number}\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    server.close()
    loop = type(asyncio.get_running_loop()).__module__
    return f"{text.strip()} {loop}"


def answer(number: int) -> str:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(echo(number))
