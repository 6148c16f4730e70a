"""Answers compressed in four ways."""

import gzip

from flask import Flask
from flask_compress import Compress

app = Flask(__name__)
app.config["COMPRESS_MIN_SIZE"] = 10
Compress(app)


@app.get("/long/<int:number>")
def long(number: int) -> str:
    return f"number {number} " * 1000


@app.get("/<int:number>")
def answer(number: int) -> str:
    with app.test_client() as client:
        ways = {}
        for way in ("gzip", "br", "zstd", "deflate"):
            response = client.get(f"/long/{number}", headers={"Accept-Encoding": way})
            ways[way] = (response.headers.get("Content-Encoding"), len(response.data) < 1000)
        text = gzip.decompress(
            client.get(f"/long/{number}", headers={"Accept-Encoding": "gzip"}).data
        ).decode()
    return f"{ways} {text[:12]} {number}"
