"""Routes and a template."""

import bottle

app = bottle.Bottle()


@app.get("/<number:int>")
def answer(number: int) -> str:
    text = bottle.template(
        "% for n in range(count):\n{{n}};\n% end\n{{word}}", count=number % 5, word="<w>"
    )
    return f"{number} {text} {bottle.request.path}"
