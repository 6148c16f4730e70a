"""A new event loop in each request, with a server and a client."""

import asyncio

import tornado.escape
import tornado.template
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

template = tornado.template.Template("{% for n in range(count) %}{{ n }},{% end %}")


class Double(RequestHandler):
    def get(self, number: str) -> None:
        self.write({"double": int(number) * 2})


async def ask(number: int) -> str:
    server = HTTPServer(Application([(r"/(\d+)", Double)]))
    socket, port = bind_unused_port()
    server.add_socket(socket)
    response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/{number}")
    server.stop()
    await server.close_all_connections()
    return response.body.decode()


def answer(number: int) -> str:
    text = template.generate(count=number % 7).decode()
    return f"{asyncio.run(ask(number))} {text} {tornado.escape.xhtml_escape(f'<{number}>')}"
