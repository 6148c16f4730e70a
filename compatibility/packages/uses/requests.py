"""A session made and used at import."""

import os

import requests

address = f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"
session = requests.Session()
session.headers["X-Word"] = "word"
session.get(f"{address}/loaded")


def answer(number: int) -> str:
    response = session.post(f"{address}/n{number}", data={"number": number}, params={"q": number})
    prepared = requests.Request("GET", f"{address}/a b", params={"n": [number, 2]}).prepare()
    return f"{response.status_code} {response.json()} {prepared.path_url}"
