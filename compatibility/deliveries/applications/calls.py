"""gRPC: a channel that is made and used while the application loads, and used by each request."""

import os

import grpc
from flask import Flask, request

channel = grpc.insecure_channel(f"127.0.0.1:{os.environ['DELIVERIES_PORT']}")
reverse = channel.unary_unary("/deliveries.Text/Reverse")
reverse(b"import", timeout=10)
app = Flask(__name__)


@app.get("/")
def index() -> bytes:
    return reverse(request.args["number"].encode(), timeout=30)
