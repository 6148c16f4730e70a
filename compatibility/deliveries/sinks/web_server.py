"""An HTTP/1.1 server on loopback that keeps connections alive, for the sinks that speak HTTP."""

import gzip
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Receive = Callable[[str, bytes], bytes]
"""Takes path and body of a request, and returns the body of the answer."""


def serve(port: int, receive: Receive) -> None:
    """Serves forever. If `receive` raises, answers with 500 and prints the traceback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise an answer in two packets waits for the delayed acknowledgement of the first.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            try:
                answer = receive(self.path, body)
            except Exception:
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()
                raise
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            """Suppresses the log line of each request."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    Server(("127.0.0.1", port), Handler).serve_forever()
