"""Migrations of an SQLite database, made and run at import."""

import os

import flask_migrate
from alembic.migration import MigrationContext
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

scratch = os.environ["COWHERD_SCRATCH"]
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{scratch}/migrate-{os.getpid()}.sqlite3"
database = SQLAlchemy(app)
migrate = flask_migrate.Migrate(app, database, directory=f"{scratch}/migrations-{os.getpid()}")


class Item(database.Model):  # type: ignore[name-defined]
    id = database.Column(database.Integer, primary_key=True)
    name = database.Column(database.String(30))


with app.app_context():
    flask_migrate.init()
    flask_migrate.migrate(message="first", rev_id="0001")
    flask_migrate.upgrade()


@app.get("/<int:number>")
def answer(number: int) -> str:
    with database.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        tables = sorted(database.inspect(connection).get_table_names())
    return f"{number} {revision} {tables}"
