"""gevent's server, closed in the moment in which it has accepted a connection."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

AGENT = Path(__file__).resolve().parents[2]

PROGRAM = """
import socket, sys
import gevent.socket
from gevent.pool import Pool
from gevent.server import StreamServer
from cowherd_agent.worker import gevent_drain

if sys.argv[1] == "installed":
    gevent_drain.install()
    gevent_drain.install()
listener = gevent.socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
address = listener.getsockname()
began = []

def handle(client, _address):
    # As gunicorn's handler does, first of all.
    began.append(listener.getsockname())
    client.close()

server = StreamServer(listener, handle=handle, spawn=Pool(5))
server.start()
client = socket.create_connection(address)
accepted, peer = gevent.socket.socket.accept(listener)
# The handler's greenlet exists, and has not run yet.
server.do_handle(accepted, peer)
server.close()
gevent.sleep(0.05)
print(len(began))
"""


# Not imported, which would change what other tests of this process see.
pytestmark = pytest.mark.skipif(find_spec("gevent") is None, reason="needs gevent")


def handlers_begun(how: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        env={"PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return done.stdout.strip()


def test_the_handler_of_a_connection_that_was_just_accepted_begins() -> None:
    assert handlers_begun("installed") == "1"


def test_gevent_alone_loses_it() -> None:
    assert handlers_begun("alone") == "0"
