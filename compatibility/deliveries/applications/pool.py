"""A ThreadPoolExecutor: used while the application loads, and in each request."""

from concurrent.futures import ThreadPoolExecutor

from counted import count
from flask import Flask, request

pool = ThreadPoolExecutor(max_workers=4)


def work(key: str) -> str:
    count(key)
    return key[::-1]


pool.submit(work, "import").result()
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return pool.submit(work, request.args["number"]).result()
