"""A pool of connections made and used at import."""

import os

import urllib3

pool = urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=0), maxsize=4)
address = f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"
pool.request("GET", f"{address}/loaded")


def answer(number: int) -> str:
    response = pool.request("POST", f"{address}/n{number}", fields={"number": str(number)})
    parsed = urllib3.util.parse_url(f"https://herd.example:{number + 1}/a?b=1")
    return f"{response.status} {response.json()} {parsed.port} {parsed.request_uri}"
