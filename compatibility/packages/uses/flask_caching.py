"""A cache in Redis, used at import, and one in memory."""

import os

from flask import Flask
from flask_caching import Cache

app = Flask(__name__)
cache = Cache(
    app,
    config={
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_PORT": int(os.environ["COWHERD_REDIS_PORT"]),
        "CACHE_REDIS_HOST": "127.0.0.1",
        "CACHE_REDIS_DB": 6,
    },
)
cache.set("loaded", "at import")


@cache.memoize(60)
def square(number: int) -> int:
    return number * number


@app.get("/<int:number>")
def answer(number: int) -> str:
    cache.set(f"n{number}", {"number": number})
    return f"{square(number)} {square(number)} {cache.get(f'n{number}')} {cache.get('loaded')}"
