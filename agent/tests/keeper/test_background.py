"""A process gives way, and gets its usual priority back, where the kernel allows it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cowherd_agent.keeper import background


@pytest.fixture
def child() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


@pytest.mark.skipif(not background.has_sys_nice(), reason="needs CAP_SYS_NICE")
def test_it_gives_way_and_is_raised_again(child: int) -> None:
    usual = niceness(child)
    assert background.set_background(child, True)
    assert niceness(child) == 19
    assert background.set_background(child, False)
    assert niceness(child) == usual


def as_nobody(limit: int) -> str:
    """The answer of a process without capabilities, with this limit for the nice value."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_NICE, (limit, limit))
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            done = background.set_background(os.getpid(), True)
            own = niceness(os.getpid())
            if done:
                os.setpriority(os.PRIO_PROCESS, 0, 0)
            os.write(writing, f"{done} {own} {background.has_sys_nice()}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with open(reading, encoding="ascii") as answer:
        return answer.read()


def may_raise_limits() -> bool:
    soft, hard = resource.getrlimit(resource.RLIMIT_NICE)
    try:
        resource.setrlimit(resource.RLIMIT_NICE, (soft, max(hard, 20)))
    except ValueError:
        return False
    return True


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_the_capability_it_stays_as_it_is() -> None:
    assert as_nobody(0) == f"False {niceness(0)} False"


@pytest.mark.skipif(
    os.geteuid() != 0 or not may_raise_limits(), reason="needs root, and CAP_SYS_RESOURCE"
)
def test_without_the_capability_the_limit_may_allow_it() -> None:
    # The process raises itself again, or the answer would not come.
    assert as_nobody(20) == "True 19 False"


def test_a_process_that_has_ended_is_nothing_to_raise() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert not background.set_background(process.pid, False)
