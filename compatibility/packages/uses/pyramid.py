"""A configuration with views, renderers and a policy."""

from pyramid.config import Configurator
from pyramid.request import Request


def answer(request: Request) -> dict[str, object]:
    number = int(request.matchdict["number"])
    return {
        "number": number,
        "url": request.route_path("answer", number=number + 1),
        "registered": request.registry.settings["word"],
    }


with Configurator(settings={"word": "at import"}) as configuration:
    configuration.add_route("answer", r"/{number:\d+}")
    configuration.add_view(answer, route_name="answer", renderer="json")
    app = configuration.make_wsgi_app()
