"""A Flask application without OpenTelemetry in its code; `opentelemetry-instrument` traces it."""

import logging
import sqlite3
from pathlib import Path

from flask import Flask, jsonify, render_template_string, request, session

DATABASE = Path(__file__).parent / "notes.db"
PAGE = """<!doctype html><title>Notes</title>
{% for id, text in notes %}<p><a href="/notes/{{ id }}">{{ text }}</a></p>{% endfor %}
<a href="/notes?page={{ page + 1 }}">more</a> <a href="/whoami">me</a> <a href="/fails">fails</a>"""

app = Flask(__name__)
app.secret_key = "a-secret-of-the-test"
log = logging.getLogger("notes")


def rows(statement: str, *values: object) -> list[tuple]:
    connection = sqlite3.connect(DATABASE)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


@app.get("/")
@app.get("/notes")
def notes() -> str:
    page = request.args.get("page", 0, int)
    found = rows("SELECT id, text FROM note ORDER BY id LIMIT 10 OFFSET ?", page * 10)
    return render_template_string(PAGE, notes=found, page=page)


@app.get("/notes/<int:number>")
def note(number: int):
    found = rows("SELECT text FROM note WHERE id = ?", number)
    if not found:
        log.warning("no note %s", number)
        return jsonify(error="no such note"), 404
    return jsonify(id=number, text=found[0][0])


@app.post("/notes")
def add():
    connection = sqlite3.connect(DATABASE, timeout=20)
    try:
        with connection:
            text = request.get_json()["text"]
            cursor = connection.execute("INSERT INTO note (text) VALUES (?)", [text])
        return jsonify(id=cursor.lastrowid), 201
    finally:
        connection.close()


@app.post("/login")
def log_in():
    session["name"] = request.form["name"]
    return "", 204


@app.get("/whoami")
def whoami():
    return jsonify(name=session.get("name"))


@app.get("/fails")
def fails():
    raise RuntimeError("on purpose")
