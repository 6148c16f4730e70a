"""What a client and the application see of each other through a proxy on port 80. Prints JSON.

The herd has one sync worker, so that a slow client that occupies it is noticed.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
from typing import Any

HOST = "shop.example"
CLAIMED = {"Host": HOST, "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
BODY = b"x" * 4096


def seen(headers: dict[str, str]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {text.decode(errors='replace')[:200]}")
    return dict(json.loads(text))


def is_free_during_upload(expected: bool) -> bool:
    """Whether another client is answered while an upload is half done.

    A busy machine only makes this take longer: a worker that is expected to be free has a minute
    to answer, and one that is not has some seconds to begin reading the upload.
    """
    upload = socket.create_connection(("127.0.0.1", 80), timeout=60)
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {2 * len(BODY)}\r\n"
    upload.sendall(head.encode() + b"Connection: close\r\n\r\n" + BODY)
    answered = threading.Event()
    other = threading.Thread(target=lambda: (seen({"Host": HOST}), answered.set()), daemon=True)
    # The half upload has to be where the proxy takes it to.
    answered.wait(1 if expected else 8)
    other.start()
    is_answered = answered.wait(60 if expected else 3)
    upload.sendall(BODY)
    text = b""
    while piece := upload.recv(65536):
        text += piece
    if b'"body": %d' % (2 * len(BODY)) not in text:
        raise SystemExit(f"the upload was not answered: {text[:300]!r}")
    other.join(60)
    return is_answered


def echo() -> str:
    from websockets.sync.client import connect

    connection = socket.create_connection(("127.0.0.1", 80), timeout=60)
    with connect(f"ws://{HOST}/", sock=connection, proxy=None) as client:
        client.send("through the proxy")
        return str(client.recv(timeout=30))


if __name__ == "__main__":
    if sys.argv[1] == "websocket":
        print(json.dumps({"echo": echo()}))
    else:
        print(
            json.dumps(
                {"seen": seen(CLAIMED), "free": is_free_during_upload(sys.argv[1] == "free")}
            )
        )
