"""A worker's report on a request that it is answering."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cowherd_agent.places import PACKAGE_FOLDER
from cowherd_agent.worker.in_flight import LONGEST_METHOD, LONGEST_PATH, requests

AGENT = Path(PACKAGE_FOLDER).parent


class Request:
    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path


def told(method: str, path: str) -> dict[str, Any]:
    """Calls `requests` with the request on the stack, as a worker class would have it."""
    found: list[dict[str, Any]] = []

    def handle_request(req: Request) -> None:
        found.extend(requests())

    handle_request(Request(method, path))
    (only,) = (each for each in found if each["seconds"] is None)
    return only


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/läden/日本", "/läden/日本"),
        ("/a?token=secret", "/a"),
        ("/a\n[2026] [1] [CRITICAL] b\x1b[31m", r"/a\n[2026] [1] [CRITICAL] b\x1b[31m"),
        ("/\u202egpj\x9b\u2028", r"/\u202egpj\x9b\u2028"),
        ("/" + "a" * 300, "/" + "a" * (LONGEST_PATH - 1)),
        ("\n" * 300, r"\n" * (LONGEST_PATH // 2)),
    ],
)
def test_a_path_is_shown_on_one_line_without_its_query(path: str, shown: str) -> None:
    assert told("GET", path) == {"method": "GET", "path": shown, "seconds": None}


def test_so_is_a_method() -> None:
    assert told("GET\r\n", "/")["method"] == r"GET\r\n"
    assert len(told("A" * 99, "/")["method"]) == LONGEST_METHOD


GREENLETS = f"""
import gc, sys
from types import SimpleNamespace
sys.path.insert(0, {str(AGENT)!r})
import greenlet
from cowherd_agent.worker import in_flight

class Lying:
    @property
    def __class__(self):
        raise LookupError("ask later")

lying = [Lying() for _ in range(3)]

def handle_request(req):
    greenlet.getcurrent().parent.switch()

waiting = greenlet.greenlet(handle_request)
waiting.switch(SimpleNamespace(method="GET", path="/waits"))
print([each["path"] for each in in_flight.requests()])
"""


@pytest.mark.skipif(find_spec("greenlet") is None, reason="needs greenlet")
def test_greenlets_are_found_among_objects_that_lie_about_their_class() -> None:
    done = subprocess.run([sys.executable, "-c", GREENLETS], capture_output=True, text=True)
    assert done.stdout == "['/waits']\n", done.stderr
