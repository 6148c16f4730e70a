"""Names of Python functions for perf: in a worker, across a fork, and when it becomes a mold."""

from __future__ import annotations

import subprocess
import sys
import unittest

import support

PROGRAM = f"""
import os, sys
sys.path.insert(0, {str(support.AGENT)!r})
from cowherd_agent.worker import perf_names

if perf_names.why_not() is not None:
    print("can't:", perf_names.why_not())
    sys.exit()

def before():
    return perf_names.switch_on()

def named():
    return 1

def forked():
    return os.fork()

def named_in_child():
    return named()

def map_of(pid):
    try:
        with open(f"/tmp/perf-{{pid}}.map") as lines:
            return [line.split("::")[1].split(":")[0] for line in lines if "::" in line]
    except FileNotFoundError:
        return None

print("problem", before())
named()
print("parent", "named" in map_of(os.getpid()), "before" in map_of(os.getpid()))
pid = forked()
if pid == 0:
    named_in_child()
    names = map_of(os.getpid())
    perf_names.switch_off()
    print("child", "named_in_child" in names, "named" in names, map_of(os.getpid()), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
perf_names.switch_off()
print("left", map_of(os.getpid()), sys.is_stack_trampoline_active())
"""


class PerfNames(unittest.TestCase):
    def test_names(self) -> None:
        done = subprocess.run(
            [sys.executable, "-I", "-u", "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        if sys.version_info < (3, 12):
            self.assertEqual(len(lines), 1)
            self.assertIn("it needs CPython 3.12 or newer", lines[0])
        elif lines[0].startswith("can't"):
            self.assertIn("built without it", lines[0])
        else:
            expected = ["problem None", "parent True False", "child True True None"]
            self.assertEqual(lines, [*expected, "left None False"])


if __name__ == "__main__":
    unittest.main()
