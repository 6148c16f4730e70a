"""Resources with middleware; parts of the package are compiled by Cython."""

import falcon
import falcon.testing


class Answer:
    def on_get(self, request: falcon.Request, response: falcon.Response, number: int) -> None:
        response.media = {"number": number, "path": request.path, "seen": request.context.seen}


class Seen:
    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        request.context.seen = True


app = falcon.App(middleware=[Seen()])
app.add_route("/{number:int}", Answer())
