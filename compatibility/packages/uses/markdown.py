"""A converter with extensions, made at import."""

import markdown

kept = markdown.Markdown(extensions=["tables", "fenced_code", "toc", "footnotes"])


def answer(number: int) -> str:
    table = f"| a | b |\n|---|---|\n| 1 | {number} |"
    text = f"# Title {number}\n\n[TOC]\n\n{table}\n\n*x*[^1]\n\n[^1]: note"
    return kept.reset().convert(text)
