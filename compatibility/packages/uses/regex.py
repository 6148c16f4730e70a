"""Patterns compiled at import, with features that only regex has."""

import regex

fuzzy = regex.compile(r"(?:herd){e<=1}")
nested = regex.compile(r"\((?:[^()]|(?R))*\)")


def answer(number: int) -> str:
    text = "(" * (number % 5 + 1) + f"hord{number}" + ")" * (number % 5 + 1)
    words = regex.findall(r"\p{Lu}\p{Ll}+", f"Eins Zwei {'Äpfel ' * (number % 4)}")
    return f"{number} {fuzzy.search(text).fuzzy_counts} {nested.search(text).group()} {words}"
