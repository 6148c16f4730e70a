"""requests, and urllib3 below it: a session that is used while the application loads and in each
request. Its connection is kept alive."""

import os

import requests
from flask import Flask, request

url = f"http://127.0.0.1:{os.environ['DELIVERIES_PORT']}/"
session = requests.Session()


def reverse(key: str) -> str:
    answer = session.post(url, data=key, timeout=30)
    answer.raise_for_status()
    return answer.text


reverse("import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return reverse(request.args["number"])
