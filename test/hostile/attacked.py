"""An application that runs the code posted to it: the attacker has code execution in workers."""

import os


def app(environ, start_response):
    text = str(os.getpid())
    if environ["REQUEST_METHOD"] == "POST":
        code = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = {"result": "done"}
        try:
            exec(compile(code, "posted", "exec"), names)
            text = str(names["result"])
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
    body = text.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
