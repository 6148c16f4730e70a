"""Sentry: an event while the application loads, and a transaction per request."""

import os

import sentry_sdk
from flask import Flask, request

sentry_sdk.init(
    dsn=f"http://key@127.0.0.1:{os.environ['DELIVERIES_PORT']}/1", traces_sample_rate=1.0
)
sentry_sdk.capture_message("import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return request.args["number"]
