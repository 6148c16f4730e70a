"""Models over an SQLite file, made at import."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['COWHERD_SCRATCH']}/flask.sqlite3"
database = SQLAlchemy(app)


class Item(database.Model):  # type: ignore[name-defined]
    id = database.Column(database.Integer, primary_key=True)
    name = database.Column(database.String(30), unique=True)
    price = database.Column(database.Integer)


with app.app_context():
    database.create_all()
    # A reload loads this module again, while the database is in use.
    if database.session.query(Item).count() == 0:
        database.session.add_all(Item(name=f"item {n}", price=n * 3) for n in range(50))
        database.session.commit()


@app.get("/<int:number>")
def answer(number: int) -> dict[str, object]:
    page = database.paginate(database.select(Item).order_by(Item.price.desc()), page=1, per_page=3)
    item = database.first_or_404(database.select(Item).filter_by(name=f"item {number}"))
    return {"name": item.name, "price": item.price, "first": [each.name for each in page.items]}
