"""A connection pool made at import, which connects at each worker's first request."""

import os

import urllib3

pool = urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=0), maxsize=4)
address = f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"


def answer(number: int) -> str:
    response = pool.request("POST", f"{address}/n{number}", fields={"number": str(number)})
    parsed = urllib3.util.parse_url(f"https://herd.example:{number + 1}/a?b=1")
    return f"{response.status} {response.json()} {parsed.port} {parsed.request_uri}"
