"""A canary that hangs is killed, and its stack is reported."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cowherd_agent.mold.canary import is_wanted
from cowherd_agent.places import PACKAGE_FOLDER

AGENT = Path(PACKAGE_FOLDER).parent

PROGRAM = f"""
import os, socket, sys, threading
from types import SimpleNamespace
sys.path.insert(0, {str(AGENT)!r})
from cowherd_agent.mold import canary

lock = threading.Lock()
mold = os.getpid()

def resolve_under_lock(*arguments):
    # As in a C library: held by a thread of the mold, never released in the copy.
    if os.getpid() != mold:
        lock.acquire()

lock.acquire()
socket.getaddrinfo = resolve_under_lock
cfg = SimpleNamespace(env=None, uid=os.geteuid(), gid=os.getegid(), initgroups=False, health=None)
heap = SimpleNamespace(apply_on_trial=lambda: None)
print(canary.send(heap, SimpleNamespace(cfg=cfg), None, "wsgi", timeout_seconds=2.0).reason)
"""


def test_one_that_hangs_is_killed_and_its_stack_told() -> None:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "the canary did not end within 2 s (while trying to resolve a name)\n"
    assert "resolve_under_lock" in done.stderr
    assert time.monotonic() - started >= 2.0


NO_NAMES = f"""
import os, socket, sys
from types import SimpleNamespace
sys.path.insert(0, {str(AGENT)!r})
from cowherd_agent.mold import canary

def unknown(*arguments):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

socket.getaddrinfo = unknown
cfg = SimpleNamespace(env=None, uid=os.geteuid(), gid=os.getegid(), initgroups=False, health=None)
heap = SimpleNamespace(apply_on_trial=lambda: None)
print(repr(canary.send(heap, SimpleNamespace(cfg=cfg), None, "wsgi", timeout_seconds=60).reason))
"""


def test_a_machine_that_knows_no_name_is_no_fault() -> None:
    done = subprocess.run([sys.executable, "-c", NO_NAMES], capture_output=True, text=True)
    assert done.stdout == "''\n", done.stderr


LOST_OUTPUT = f"""
import os, sys
from types import SimpleNamespace
sys.path.insert(0, {str(AGENT)!r})
from cowherd_agent.mold import canary
from cowherd_agent.forked_child import run_in_child

told = os.fdopen(os.dup(1), "w")
mold = os.getpid()
# As a terminal that is gone: a print stays in the buffer, an error is refused at once.
sys.stdout = open("/dev/full", "w")
sys.stderr = open("/dev/full", "w", buffering=1)
print("of the mold")

def raise_fault(tell):
    raise ValueError("of the child")

cfg = SimpleNamespace(env=None, uid=os.geteuid(), gid=os.getegid(), initgroups=False, health=None)
heap = SimpleNamespace(apply_on_trial=lambda: None)
verdict = canary.send(heap, SimpleNamespace(cfg=cfg), None, "wsgi", timeout_seconds=10.0)
fault = run_in_child(raise_fault, 10.0).fault("child", 10.0)
# A child that came back into the stack of the mold would tell it too.
told.write(f"{{verdict.reason!r}} {{fault!r}} {{os.getpid() == mold}}\\n")
told.flush()
os._exit(0)
"""


def test_lost_output_is_no_fault_of_the_generation() -> None:
    done = subprocess.run([sys.executable, "-c", LOST_OUTPUT], capture_output=True, text=True)
    assert done.stdout == "'' 'the child failed to start: ValueError: of the child' True\n"
    assert done.returncode == 0


@pytest.mark.parametrize("occasion", ["first", "reload", "replacement", "refork"])
def test_the_first_mold_sends_one_only_when_it_is_asked_to(occasion: str) -> None:
    assert is_wanted(occasion, "GET /")
    assert is_wanted(occasion, None) == (occasion != "first")
