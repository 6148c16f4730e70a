"""redis-py: a client that is used while the application loads, and in each request."""

import os

import redis
from flask import Flask, request

client = redis.Redis(port=int(os.environ["DELIVERIES_PORT"]), decode_responses=True)
client.rpush("deliveries", "import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    number = request.args["number"]
    client.rpush("deliveries", number)
    # If the reply belongs to another request, the connection is shared between processes.
    return client.echo(number)
