"""A process lets the kernel merge its memory, and its forks inherit that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cowherd_agent.places import PACKAGE_FOLDER

AGENT = Path(PACKAGE_FOLDER).parent
KSM = Path("/sys/kernel/mm/ksm/general_profit")

PROGRAM = f"""
import ctypes, os, sys
sys.path.append({str(AGENT)!r})
from cowherd_agent.places import PACKAGE_FOLDER
from cowherd_agent.merging import allow_merging

PR_GET_MEMORY_MERGE = 68
no = ctypes.c_ulong(0)

def allows():
    return ctypes.CDLL(None).prctl(PR_GET_MEMORY_MERGE, no, no, no, no)

print(allows(), allow_merging(), allow_merging(), allows(), flush=True)
pid = os.fork()
if pid == 0:
    print(allows(), "gunicorn" in sys.modules, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""


def run(*command: str) -> list[str]:
    done = subprocess.run(
        [*command, sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(not KSM.exists(), reason="needs KSM, of Linux 6.4 or newer")
def test_it_is_allowed_once_for_all_that_is_forked() -> None:
    assert run() == ["0 None None 1", "1 False"]


@pytest.mark.skipif(KSM.exists(), reason="needs a kernel without KSM")
def test_where_it_cannot_be_the_reason_is_given() -> None:
    assert "Linux 6.4" in run()[0]
