"""An admin site for models."""

import os

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.secret_key = "not a secret"
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['COWHERD_SCRATCH']}/admin.sqlite3"
database = SQLAlchemy(app)


class Item(database.Model):  # type: ignore[name-defined]
    id = database.Column(database.Integer, primary_key=True)
    name = database.Column(database.String(30))


with app.app_context():
    database.create_all()
    # A reload loads this module again, while the database is in use.
    if database.session.query(Item).count() == 0:
        database.session.add_all(Item(id=n, name=f"item {n}") for n in range(1, 60))
        database.session.commit()
admin = Admin(app, name="herd")
admin.add_view(ModelView(Item, database, name="Items", endpoint="items"))


@app.get("/<int:number>")
def answer(number: int) -> str:
    with app.test_client() as client:
        page = client.get(f"/admin/items/edit/?id={number + 1}")
        listed = client.get("/admin/items/?page=1").text
    return f"{page.status_code} {f'item {number + 1}' in page.text} {'item 20' in listed} {number}"
