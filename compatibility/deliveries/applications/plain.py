"""Answers with the number of the request. What is delivered comes from auto-instrumentation."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return request.args["number"]
