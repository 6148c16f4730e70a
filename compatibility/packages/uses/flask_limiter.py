"""Limits counted in memory."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse

app = Flask(__name__)
limiter = Limiter(
    get_remote_address, app=app, default_limits=["100000 per hour"], storage_uri="memory://"
)


@app.get("/<int:number>")
@limiter.limit("50000/minute")
def answer(number: int) -> str:
    limit = parse(f"{number + 1} per minute")
    key = f"n{number}"
    limiter.limiter.clear(limit, key)
    hits = [limiter.limiter.hit(limit, key) for _ in range(number + 2)]
    return f"{number} {hits.count(True)} {limit}"
