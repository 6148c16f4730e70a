"""sharing.py POLICY WORK [MIB]: what a child of a mold under POLICY keeps shared after WORK.

WORK: read (every object, as application code does), collect (full collections), warm (private
objects, so that the collector's own rules bring full collections).
"""

from __future__ import annotations

import gc
import sys
import time

from cowherd_agent.policies import make
from herdlike import Application, finish, kept_by

policy = make(sys.argv[1])
work = sys.argv[2]
mib = int(sys.argv[3]) if len(sys.argv) > 3 else 60
policy.self_test()
policy.before_load()
application = Application(mib)
started = time.process_time()
events = []
report = policy.prepare(events.append)
cpu_seconds = time.process_time() - started


def warm() -> None:
    own = [[number, str(number)] for number in range(400_000)]
    assert len(own) == 400_000


def do_work() -> None:
    policy.after_fork()
    if work == "read":
        application.read_everything()
    elif work == "collect":
        for _ in range(3):
            gc.collect()
    elif work == "warm":
        warm()


found = kept_by(do_work)
immortalized = [step for step in report.steps if step.name == "immortalize"]
found["objects"] = immortalized[0].counts["objects"] if immortalized else 0
found["immortalize_seconds"] = immortalized[0].seconds if immortalized else 0
found["price_bytes"] = report.price_bytes
found["prepare_cpu_seconds"] = cpu_seconds
# The yardstick on a machine of any speed: reading each object once.
started = time.process_time()
application.read_everything()
found["read_cpu_seconds"] = time.process_time() - started
found["events"] = [[event.step, event.done, event.seconds] for event in events]
finish(found)
