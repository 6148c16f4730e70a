"""Routes, templates and a test client, under an ASGI worker."""

from quart import Quart, render_template_string

app = Quart(__name__)


@app.get("/<int:number>")
async def answer(number: int) -> str:
    text = await render_template_string(
        "{{ number * 2 }} {{ word|title }}", number=number, word="a word"
    )
    return f"{number} {text}"
