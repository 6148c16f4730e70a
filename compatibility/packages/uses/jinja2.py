"""An environment with templates compiled at import, and a sandbox."""

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape
from jinja2.sandbox import SandboxedEnvironment, SecurityError

environment = Environment(
    loader=DictLoader(
        {
            "base": "<h1>{% block title %}{% endblock %}</h1>{% block body %}{% endblock %}",
            "page": (
                "{% extends 'base' %}{% block title %}{{ title }}{% endblock %}"
                "{% block body %}{% for n in numbers if n is odd %}{{ loop.index }}:{{ n }} "
                "{% else %}none{% endfor %}{{ macro(number) }}{% endblock %}"
            ),
        }
    ),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
)
page = environment.get_template("page")


def answer(number: int) -> str:
    text = page.render(
        title=f"<{number}>", numbers=range(number), number=number, macro=lambda n: n * 2
    )
    try:
        SandboxedEnvironment().from_string("{{ ''.__class__.__mro__ }}").render()
        error = "none"
    except SecurityError as failure:
        error = type(failure).__name__
    return f"{text} {error}"
