"""Parsers of requests and addresses."""

import httptools


class Collected:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_url(self, url: bytes) -> None:
        self.seen.append(httptools.parse_url(url).path.decode())

    def on_header(self, name: bytes, value: bytes) -> None:
        self.seen.append(f"{name.decode()}={value.decode()}")

    def on_body(self, body: bytes) -> None:
        self.seen.append(body.decode())


made_at_import = httptools.HttpRequestParser(Collected())


def answer(number: int) -> str:
    collected = Collected()
    parser = httptools.HttpRequestParser(collected)
    body = "x" * number
    parser.feed_data(
        f"POST /{number}?q=1 HTTP/1.1\r\nContent-Length: {number}\r\n\r\n{body}".encode()
    )
    try:
        httptools.HttpRequestParser(Collected()).feed_data(b"NONSENSE\r\n\r\n")
        error = ""
    except httptools.HttpParserError as failure:
        error = type(failure).__name__
    return f"{collected.seen} {parser.get_method()} {parser.get_http_version()} {error}"
