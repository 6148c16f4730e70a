"""redis-py with the parser of hiredis, and a client that is used at import."""

import os

import hiredis
import redis

client = redis.Redis(port=int(os.environ["COWHERD_REDIS_PORT"]), decode_responses=True)
client.ping()


def answer(number: int) -> str:
    reader = hiredis.Reader(encoding="utf-8")
    reader.feed(f"*2\r\n$3\r\nabc\r\n:{number}\r\n".encode())
    client.set(f"hiredis:{number}", number)
    packed = hiredis.pack_command(("GET", f"hiredis:{number}"))
    return f"{reader.gets()} {client.get(f'hiredis:{number}')} {packed.decode()!r}"
