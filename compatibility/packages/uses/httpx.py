"""A client made at import, which connects at each worker's first request."""

import os

import httpx

client = httpx.Client(base_url=f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}")


def answer(number: int) -> str:
    response = client.post(f"/n{number}", json={"number": number}, params={"q": number})
    return f"{response.status_code} {response.json()}"
