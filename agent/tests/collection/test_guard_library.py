"""The guard on a real release from the package index: parso 0.8.4.

When parso reads a syntax tree from its cache on disk (`_load_from_file_system`, parso/cache.py), it
calls gc.disable(), unpickles, and calls gc.enable() whatever the state was before. An old msgpack
did the same to a site (docs/heap-policies.md). requirements-dev.txt has that release.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
AGENT = ROOT / "agent"

PROGRAM = """
import gc, json, os, sys, tempfile
from cowherd_agent.collection import guard
from cowherd_agent.policies import make

mode, policy = sys.argv[1], make(sys.argv[2])
installed = guard.install(mode, policy.name, armed=False)
if sys.argv[3] == "off before":
    gc.disable()
policy.before_load()
import parso, parso.cache

folder = tempfile.mkdtemp()
source = os.path.join(folder, "source.py")
with open(source, "w") as file:
    file.write("a = 1\\n")
# Of a version that this release knows, whatever runs here.
grammar = parso.load_grammar(version="3.10")

def parse():
    parso.cache.parser_cache.clear()
    grammar.parse(path=source, cache=True, cache_path=folder)

parse()
policy.prepare()
reader, writer = os.pipe()
if os.fork() == 0:
    policy.after_fork()
    told = []
    installed.arm(on_call=told.append)
    for _ in range(4):
        parse()
    young = [[n] for n in range(20_000)]
    counts = [
        [c.function, c.package, os.path.basename(c.file), c.held, c.count]
        for c in installed.calls()
    ]
    from cowherd_agent.collection.collector import collection_watch
    os.write(writer, json.dumps({
        "calls": counts, "told": len(told), "threshold": gc.get_threshold()[0],
        "enabled": gc.isenabled(), "inside": collection_watch().collections_inside,
    }).encode())
    os._exit(0)
os.close(writer)
print(os.read(reader, 65536).decode(), flush=True)
os._exit(0)
"""


def run(mode: str, policy: str, before: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode, policy, before],
        env={"PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("policy", ["freeze", "instagram"])
def test_it_is_named_and_the_policy_holds(policy: str) -> None:
    found = run("hold", policy)
    assert ["disable", "parso", "cache.py", False, 4] in found["calls"]
    assert ["enable", "parso", "cache.py", False, 4] in found["calls"]
    assert found["told"] == 2
    assert found["threshold"] == 0
    assert found["inside"] == 0


def test_it_does_turn_the_collector_on() -> None:
    """Under stock, in a process that turned the collector off: what the policies have to
    withstand.
    """
    found = run("report", "stock", "off before")
    assert found["enabled"] is True
    assert found["inside"] > 0


def test_off_names_nobody() -> None:
    assert run("off", "freeze")["calls"] == []
