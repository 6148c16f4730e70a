"""prepare() under a plain gunicorn and a plain uWSGI."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cowherd_agent.interpreter.interpreter import identify, why_not
from plain_servers import AGENT, APPLICATION, Server, free_port, hooks, running

POLICY = "immortal" if why_not("immortal", identify()) is None else "freeze"
WORKERS = 2

GUNICORN_CONF = """
import sys
from cowherd_agent import prepare

preload_app = True
workers = WORKERS
herd = None

def when_ready(server):
    global herd
    herd = prepare("POLICY", collect_after=500)
    sys.modules["app"].herd = herd

def post_request(worker, req, environ, resp):
    herd.request_finished()
"""

UWSGI_TAIL = """
from cowherd_agent import prepare

herd = prepare("POLICY", collect_after=500)
application = herd.wrap(application)
"""


def gunicorn(folder: Path, port: int, policy: str = POLICY) -> list[str]:
    conf = GUNICORN_CONF.replace("POLICY", policy).replace("WORKERS", str(WORKERS))
    (folder / "app.py").write_text(APPLICATION)
    (folder / "gunicorn.conf.py").write_text(conf)
    return [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:application"]


def uwsgi(folder: Path, port: int, policy: str = POLICY) -> list[str]:
    (folder / "app.py").write_text(APPLICATION + UWSGI_TAIL.replace("POLICY", policy))
    command = [str(Path(sys.executable).with_name("uwsgi")), "--need-app", "--die-on-term"]
    command += ["--http-socket", f"127.0.0.1:{port}", "--master", "--processes", str(WORKERS)]
    return [*command, "--single-interpreter", "--module", "app:application"]


SERVERS = {"gunicorn": gunicorn, "uwsgi": uwsgi}


def each_worker(server: Server, path: str) -> dict[int, dict[str, object]]:
    """The last answer of each worker, once all have answered."""
    answers: dict[int, dict[str, object]] = {}
    for _ in range(300):
        answer = server.get(path)
        answers[answer["pid"]] = answer
        if len(answers) == WORKERS:
            return answers
    return answers


@pytest.mark.parametrize("name", SERVERS)
def test_workers_live_by_the_policy(name: str, tmp_path: Path) -> None:
    port = free_port()
    with running(SERVERS[name](tmp_path, port), tmp_path, port) as server:
        assert f"cowherd: heap policy {POLICY}, prepared in" in server.log
        answer = server.get("/")
        assert answer["policy"] == POLICY
        assert answer["threshold"] == 0
        assert answer["frozen"] > 10_000

        if POLICY == "immortal":
            assert server.get("/read")["kept"] >= 0.97

        held = server.get("/threshold")
        assert held["threshold"] == 0
        assert "gc.set_threshold() from app" in server.log
        assert "held off" in server.log

        collected = [server.get("/cycles")["counters"] for _ in range(30)]
        assert sum(each["collections_outside"] for each in collected) > 0
        assert max(each["objects_freed"] for each in collected) > 5000


def stopped(name: str, folder: Path, policy: str) -> set[int]:
    """Serve and stop; returns the workers' pids."""
    port = free_port()
    with running(SERVERS[name](folder, port, policy), folder, port) as server:
        pids = set(each_worker(server, "/"))
        # uWSGI leaves without any hook if the signal finds a worker still busy with a request.
        time.sleep(0.5)
        server.stop()
    return pids


def finalized(folder: Path) -> int:
    """How many processes took their heap down."""
    file = folder / "finalized"
    return len(file.read_bytes()) if file.exists() else 0


@pytest.mark.parametrize("name", SERVERS)
def test_workers_leave_after_their_hooks_and_without_finalization(
    name: str, tmp_path: Path
) -> None:
    pids = stopped(name, tmp_path, POLICY)
    ran = hooks(tmp_path)
    assert pids <= set(ran["mold's hook"])
    assert sorted(ran["worker's hook"]) == sorted(pids)
    # Each process ran each hook once.
    assert len(ran["mold's hook"]) == len(set(ran["mold's hook"]))
    assert finalized(tmp_path) <= 1, "only the mold itself may be finalized"


@pytest.mark.parametrize("name", SERVERS)
def test_under_stock_workers_are_finalized(name: str, tmp_path: Path) -> None:
    """Otherwise the previous test could not fail."""
    pids = stopped(name, tmp_path, "stock")
    assert sorted(hooks(tmp_path)["worker's hook"]) == sorted(pids)
    assert finalized(tmp_path) >= WORKERS


def test_a_worker_that_fails_keeps_its_exit_status(tmp_path: Path) -> None:
    """gunicorn gives up when a worker's exit status says that it could not boot."""
    port = free_port()
    command = gunicorn(tmp_path, port)
    conf = tmp_path / "gunicorn.conf.py"
    conf.write_text(
        conf.read_text() + "\ndef post_worker_init(worker):\n    raise RuntimeError('no boot')\n"
    )
    with pytest.raises(AssertionError), running(command, tmp_path, port):
        pass
    log = (tmp_path / "log").read_text()
    assert "no boot" in log
    assert "Worker failed to boot" in log


def test_a_uwsgi_worker_is_refused(tmp_path: Path) -> None:
    port = free_port()
    command = [*uwsgi(tmp_path, port), "--lazy-apps"]
    with pytest.raises(AssertionError), running(command, tmp_path, port):
        pass
    assert "this is a worker already" in (tmp_path / "log").read_text()


AUTO = """
import gc, json, os, sys
from cowherd_agent import prepare

frozen_at_start = gc.get_freeze_count()

def warmup():
    {warmup}

lines = []
herd = prepare("auto", warmup=warmup, log=lines.append)
print(json.dumps([herd.policy, [each.reason for each in herd.rejected]]), flush=True)
os._exit(0)
"""


def run_auto(warmup: str) -> tuple[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", AUTO.format(warmup=warmup)],
        env={"PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    policy, reasons = json.loads(done.stdout.splitlines()[-1])
    return policy, reasons


def test_auto_takes_the_highest_rung_that_works() -> None:
    assert run_auto("pass") == (POLICY, [])


def test_auto_goes_down_when_the_scout_fares_badly() -> None:
    """A warm-up that can't run in a prepared heap: it fails if anything more is frozen.

    CPython 3.12 freezes some objects when it starts.
    """
    policy, reasons = run_auto("1 / (gc.get_freeze_count() <= frozen_at_start)")
    assert policy == "instagram"
    assert all("ZeroDivisionError" in reason for reason in reasons)
    assert len(reasons) == (2 if POLICY == "immortal" else 1)


def test_other_threads_are_refused() -> None:
    program = (
        "import threading, time; threading.Thread(target=time.sleep, args=(30,), name='poller',"
        " daemon=True).start(); from cowherd_agent import prepare; prepare('freeze')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1
    assert "other threads are running (poller)" in done.stderr
