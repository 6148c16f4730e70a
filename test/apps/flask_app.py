"""A small Flask application, `flask_app:app`."""

import os
import time

from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.get("/")
def home() -> Response:
    return Response("hello from flask\n", mimetype="text/plain")


@app.get("/healthz")
def healthz() -> Response:
    return Response("ok\n", mimetype="text/plain")


@app.get("/pid")
def pid() -> Response:
    return jsonify(pid=os.getpid(), ppid=os.getppid())


@app.get("/slow")
def slow() -> Response:
    """Answers after `?seconds=` seconds."""
    seconds = request.args.get("seconds", default=1.0, type=float)
    time.sleep(seconds)
    return Response(f"slept {seconds} s\n", mimetype="text/plain")


@app.get("/stream")
def stream() -> Response:
    """Sends `?lines=` lines, one by one."""
    lines = request.args.get("lines", default=3, type=int)
    return Response((f"line {number}\n" for number in range(lines)), mimetype="text/plain")


@app.post("/echo")
def echo() -> Response:
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.get("/fail")
def fail() -> Response:
    raise RuntimeError("this address always fails")
