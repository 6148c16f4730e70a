"""Answers with the number of the request. Auto-instrumentation makes the deliveries."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return request.args["number"]
