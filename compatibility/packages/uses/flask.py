"""Routes, templates, sessions, blueprints and signals."""

from flask import Blueprint, Flask, g, render_template_string, request, session

app = Flask(__name__)
app.secret_key = "not a secret"
shop = Blueprint("shop", __name__, url_prefix="/shop")
TEMPLATE = "{% for n in range(number % 4) %}<{{ n }}>{% endfor %}{{ word|upper }}"


@app.before_request
def before() -> None:
    g.word = f"word {request.path}"


@shop.get("/<int:number>")
def item(number: int) -> str:
    return f"item {number}"


app.register_blueprint(shop)


@app.get("/<int:number>")
def answer(number: int) -> dict[str, object]:
    session["number"] = number
    text = render_template_string(TEMPLATE, number=number, word=g.word)
    with app.test_client() as client:
        inner = client.get(f"/shop/{number}").text
    return {"number": number, "text": text, "inner": inner}
