"""Answers each POST with its body reversed: `text_over_http.py PORT FILE`."""

import sys

from notes import Notes
from web_server import serve

notes = Notes(sys.argv[2])


def receive(path: str, body: bytes) -> bytes:
    notes.add([body.decode()])
    return body[::-1]


serve(int(sys.argv[1]), receive)
