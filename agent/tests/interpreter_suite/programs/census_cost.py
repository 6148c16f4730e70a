"""The cost of a census of some 50 MiB: its CPU time, and its process's private memory.

The yardstick on a machine of any speed is the CPU time that the application takes, in the same
process, to read each of its objects once.

The argument is the heap policy that prepares the heap first.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time

from cowherd_agent.census.census import write_census
from cowherd_agent.forked_child import Tell, run_in_child
from cowherd_agent.interpreter import rollup
from cowherd_agent.policies import make
from herdlike import Application

policy = make(sys.argv[1])
policy.before_load()
application = Application(50)
policy.prepare()


def take(tell: Tell) -> None:
    before = rollup.read()
    rss_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    census = write_census(path)
    seconds = time.process_time() - started
    after = rollup.read()
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert before is not None
    assert after is not None
    started = time.process_time()
    application.read_everything()
    read_seconds = time.process_time() - started
    tell(
        cpu_seconds=seconds,
        read_cpu_seconds=read_seconds,
        objects=census.objects,
        bytes=census.bytes,
        heap_bytes=before.anonymous_bytes,
        private_bytes=after.private_dirty_bytes - before.private_dirty_bytes,
        peak_bytes=(peak_kib - rss_kib) * 1024,
    )


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "census")
    outcome = run_in_child(take, 600)
    if outcome.status != 0:
        raise SystemExit(f"the child ended with {outcome.status}: {outcome.found}")
    print(json.dumps({**outcome.found, "file_bytes": os.path.getsize(path)}))
