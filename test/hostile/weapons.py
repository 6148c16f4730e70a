"""What the attacks in attacks.ts use; runs in a worker, before the attack's own lines."""

import contextlib
import json
import os
import signal  # noqa: F401
import socket
import sys
import time  # noqa: F401


def channels():
    """Every packet socket that this process has, found as a stranger would."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            candidate = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        if candidate.family == socket.AF_UNIX and candidate.type == socket.SOCK_SEQPACKET:
            found.append(candidate)
    return found


def say(message, descriptors=()):
    """Sends a packet on each of them; a message as JSON."""
    packet = message if isinstance(message, bytes) else json.dumps(message).encode()
    for channel in channels():
        with contextlib.suppress(OSError):
            socket.send_fds(channel, [packet], list(descriptors), socket.MSG_DONTWAIT)


def boards():
    """Descriptors of files in memory."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + name).startswith("/memfd:cowherd"):
                found.append(int(name))
        except OSError:
            pass
    return found


def forked(pid, slot=0):
    return {"type": "forked", "slot": slot, "pid": pid, "age": 1, "forked_monotonic_ns": 1}


def configured(**changes):
    settings = {
        "app": "attacked:app",
        "proc_name": "attacked",
        "chdir": "/",
        "addresses": [],
        "backlog": 10,
        "reuse_port": False,
        "umask": 0,
        "uid": 0,
        "gid": 0,
        "workers": 2,
        "threads": 1,
        "worker_class": "sync",
        "timeout_seconds": 30,
        "graceful_timeout_seconds": 30,
        "pidfile": None,
        "daemon": False,
        "reload": False,
        "log_level": "info",
        "heap_policy": "auto",
        "warmup": [],
        "gc_guard": "hold",
        "sampling_budget_percent": 1,
        "errorlog": "-",
        "boot_timeout_seconds": 30,
        "max_requests": 0,
        "max_requests_jitter": 0,
        "refork_after": [],
        "refork_by_benefit": False,
        "exit_when_hopeless": True,
        "heal": False,
        "recycle_private_bytes": 0,
        "recycle_pss_bytes": 0,
        "recycle_rss_bytes": 0,
        "recycle_samples": 3,
        "recycle_age_seconds": 0,
        "recycle_age_jitter_seconds": 0,
        "herd_memory": "off",
    }
    return {
        "type": "configured",
        "settings": {**settings, **changes},
        "python_version": "3.13.0",
        "gunicorn_version": "27.0.1",
        "executable": sys.executable,
        "remarks": [],
    }


READY = {
    "type": "mold_ready",
    "policy": "freeze",
    "asked_policy": "auto",
    "remarks": [],
    "report": {},
    "modules": 1,
    "threads": 0,
}


class Mold:
    """What a worker that retires does as a mold, in the place of what it should do."""

    def __init__(self, does):
        from cowherd_agent.mold import mold

        mold.Mold.prepare_again = lambda this: does(this._channel)
