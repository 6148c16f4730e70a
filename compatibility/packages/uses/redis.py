"""A client made and used at import, as many applications do, and a pipeline in each request."""

import os

import redis

client = redis.Redis(port=int(os.environ["COWHERD_REDIS_PORT"]), decode_responses=True)
client.set("redis:loaded", "yes")


def answer(number: int) -> str:
    pipeline = client.pipeline()
    pipeline.hset(f"redis:{number}", mapping={"number": number, "square": number**2})
    pipeline.hgetall(f"redis:{number}")
    pipeline.get("redis:loaded")
    return str(pipeline.execute()[1:])
