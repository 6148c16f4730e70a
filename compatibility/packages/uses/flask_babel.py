"""Numbers, days and words of several languages."""

from datetime import datetime

from flask import Flask
from flask_babel import Babel, force_locale, format_currency, format_datetime, gettext

app = Flask(__name__)
Babel(app, default_locale="en", default_timezone="Europe/Vienna")


@app.get("/<int:number>")
def answer(number: int) -> str:
    texts = []
    for language in ("en", "de", "fr_CA"):
        with force_locale(language):
            texts.append(format_currency(number * 1000.5, "EUR"))
            texts.append(format_datetime(datetime(2026, 1, 1, number % 24), "long"))
    return " ".join([*texts, gettext("word")])
