"""Numbers, days and plurals of many languages, loaded at their first use."""

from datetime import date

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, parse_decimal

german = Locale("de")


def answer(number: int) -> str:
    texts = [
        format_date(date(2026, number % 12 + 1, 3), "full", locale=name)
        for name in ("en", "de", "ja", "ar", "pt_BR")
    ]
    money = format_currency(number * 1234.5, "USD", locale="fr")
    plural = Locale("pl").plural_form(number)
    return f"{number} {texts} {money} {plural} {parse_decimal('1.234,5', locale=german)}"
