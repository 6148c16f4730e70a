"""Sessions in Redis."""

import os

from flask import Flask, session
from flask_session import Session
from redis import Redis

app = Flask(__name__)
app.config["SESSION_TYPE"] = "redis"
app.config["SESSION_REDIS"] = Redis(port=int(os.environ["COWHERD_REDIS_PORT"]), db=7)
Session(app)


@app.get("/keep/<int:number>")
def keep(number: int) -> str:
    session["number"] = number
    return "kept"


@app.get("/kept")
def kept() -> str:
    return str(session.get("number"))


@app.get("/<int:number>")
def answer(number: int) -> str:
    with app.test_client() as client:
        return " ".join(client.get(path).text for path in ("/kept", f"/keep/{number}", "/kept"))
