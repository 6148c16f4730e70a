"""Starts a plain gunicorn or uWSGI on a small application that calls cowherd_agent.prepare."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

AGENT = Path(__file__).resolve().parent.parent
PROGRAMS = AGENT / "tests" / "interpreter_suite" / "programs"
START_SECONDS = 300.0
STOP_SECONDS = 20.0

APPLICATION = '''
import atexit, gc, json, os, time
from pathlib import Path
from herdlike import Application, shared_bytes

folder = Path(os.environ["TEST_FOLDER"])
herd = None
heap = Application(30)
at_start = {}


class Finalized:
    """Found by the interpreter's teardown, in each worker that does not leave before it."""

    def __init__(self):
        self.write = os.write
        self.file = os.open(folder / "finalized", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def __del__(self):
        self.write(self.file, b"x")


finalized = Finalized()


def note(text):
    with open(folder / "hooks", "a") as file:
        print(text, os.getpid(), file=file)


atexit.register(note, "mold's hook")


class Cycle:
    def __init__(self):
        self.me = self


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if not at_start:
        at_start["shared"] = shared_bytes()
        atexit.register(note, "worker's hook")
    if path == "/read":
        heap.read_everything()
        gc.collect()
    elif path == "/cycles":
        for _ in range(3000):
            Cycle()
    elif path == "/threshold":
        gc.set_threshold(700)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({
        "pid": os.getpid(),
        "kept": shared_bytes() / at_start["shared"],
        "threshold": gc.get_threshold()[0],
        "frozen": gc.get_freeze_count(),
        "counters": herd.counters(),
        "policy": herd.policy,
    }).encode()]
'''


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Server:
    """A running server; `log` is its output so far."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log_file: Path) -> None:
        self.process = process
        self._port = port
        self._log_file = log_file

    @property
    def log(self) -> str:
        return self._log_file.read_text("utf-8", "replace")

    def get(self, path: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._port}{path}"
        with urllib.request.urlopen(url, timeout=100) as response:
            found: dict[str, Any] = json.loads(response.read())
            return found

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.get("/")
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"the server is not up\n{self.log}") from None
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_SECONDS)


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[Server]:
    log_file = folder / "log"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(AGENT), str(PROGRAMS), str(folder)]),
        "TEST_FOLDER": str(folder),
    }
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(process, port, log_file)
    try:
        server.wait_until_up()
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def hooks(folder: Path) -> dict[str, list[int]]:
    """Pids of the processes that ran each hook, by hook."""
    found: dict[str, list[int]] = {}
    file = folder / "hooks"
    for line in file.read_text("utf-8").splitlines() if file.exists() else []:
        text, _, pid = line.rpartition(" ")
        found.setdefault(text, []).append(int(pid))
    return found
