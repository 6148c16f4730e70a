"""Form validation, with CSRF tokens."""

from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, StringField
from wtforms.validators import DataRequired, NumberRange

app = Flask(__name__)
app.secret_key = "not a secret"
CSRFProtect(app)


class NumberForm(FlaskForm):
    number = IntegerField("Number", validators=[NumberRange(max=25)])
    name = StringField("Name", validators=[DataRequired()])


@app.get("/<int:number>")
def answer(number: int) -> str:
    form = NumberForm(
        MultiDict({"number": number, "name": "x" * (number % 2)}), meta={"csrf": False}
    )
    valid = form.validate()
    validate_csrf(generate_csrf())
    return f"{number} {valid} {form.errors} {form.number()}"
