"""A session made at import, which connects at each worker's first request."""

import os

import requests

address = f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"
session = requests.Session()
session.headers["X-Word"] = "word"


def answer(number: int) -> str:
    response = session.post(f"{address}/n{number}", data={"number": number}, params={"q": number})
    prepared = requests.Request("GET", f"{address}/a b", params={"n": [number, 2]}).prepare()
    return f"{response.status_code} {response.json()} {prepared.path_url}"
