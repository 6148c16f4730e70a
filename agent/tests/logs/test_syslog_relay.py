"""The result of gunicorn's syslog settings, and that a line arrives in gunicorn's own form."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cowherd_agent.logs.syslog_relay import target_of
from cowherd_agent.mold.gunicorn_settings import CowherdConfig
from cowherd_agent.places import LAUNCHER


def config(**settings: object) -> CowherdConfig:
    made = CowherdConfig()
    for name, value in settings.items():
        made.set(name, value)
    return made


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:///dev/log#dgram", ("/dev/log", None, None, "dgram")),
        ("unix:///dev/log", ("/dev/log", None, None, None)),
        ("udp://127.0.0.1:5140", (None, "127.0.0.1", 5140, "dgram")),
        ("tcp://logs.example:601", (None, "logs.example", 601, "stream")),
    ],
)
def test_the_target_of_an_address(address: str, expected: tuple[object, ...]) -> None:
    target = target_of(config(syslog=True, syslog_addr=address, syslog_prefix="shop"))
    assert target is not None
    assert (target["path"], target["host"], target["port"], target["kind"]) == expected
    assert (target["prefix"], target["facility"]) == ("gunicorn.shop.error", 1)


def test_without_it_and_where_it_is_wrong_there_is_none() -> None:
    assert target_of(config()) is None
    assert target_of(config(syslog=True, syslog_facility="nothing")) is None
    assert target_of(config(syslog=True, syslog_addr="nowhere")) is None


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_lines_arrive_at_a_unix_socket(kind: socket.SocketKind, tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, kind) as listening:
        listening.bind(path)
        if kind == socket.SOCK_STREAM:
            listening.listen()
        target = target_of(
            config(syslog=True, syslog_addr=f"unix://{path}", default_proc_name="a:b")
        )
        line = {"level": "warning", "pid": 4711, "msg": "first\nsecond"}
        subprocess.run(
            [sys.executable, "-I", str(LAUNCHER), "syslog", json.dumps(target)],
            input=json.dumps(line) + "\n",
            text=True,
            check=True,
            timeout=60,
        )
        receiving = listening.accept()[0] if kind == socket.SOCK_STREAM else listening
        # Facility user, severity warning.
        assert receiving.recv(4096) == b"<12>gunicorn.a.b.error: [4711] first\nsecond\0"
        if receiving is not listening:
            receiving.close()


def test_without_anybody_there_it_ends_with_one_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    target = target_of(config(syslog=True, syslog_addr=address))
    ended = subprocess.run(
        [sys.executable, "-I", str(LAUNCHER), "syslog", json.dumps(target)],
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("syslog can't be reached: ")
    assert ended.stderr.count("\n") == 1
