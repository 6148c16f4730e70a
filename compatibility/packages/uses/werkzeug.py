"""Routing, requests and responses without a framework."""

from werkzeug.routing import Map, Rule
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Request, Response

addresses = Map([Rule("/<int:number>", endpoint="answer"), Rule("/<path:rest>", endpoint="rest")])
hashed = generate_password_hash("word", method="pbkdf2:sha256:1000")


@Request.application
def app(request: Request) -> Response:
    endpoint, values = addresses.bind_to_environ(request.environ).match()
    number = values["number"]
    right = check_password_hash(hashed, "word" if number % 2 else "wrong")
    response = Response(f"{endpoint} {number} {right} {request.args.to_dict()}")
    response.set_cookie("number", str(number))
    return response
