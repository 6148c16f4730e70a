"""second.py POLICY: a mold that was a worker. Its heap is prepared a second time, for objects
loaded since. What does its child keep shared, and what do the policy's own notes say?"""

from __future__ import annotations

import gc
import sys
import tempfile

from cowherd_agent.collection import collector
from cowherd_agent.leaving import open_files
from cowherd_agent.policies import make
from herdlike import MIB, Application, finish, kept_by, rollup

policy = make(sys.argv[1])
policy.self_test()
policy.before_load()
application = Application(10)
# Frozen while empty, and later filled with objects that the collector does not track.
cache: dict[str, str] = {}
first_file = tempfile.TemporaryFile("w")  # noqa: SIM115
policy.prepare()
first_frozen = collector._frozen_objects

policy.after_fork()
before = rollup.anonymous_bytes()
while rollup.anonymous_bytes() - before < 40 * MIB:
    for number in range(len(cache), len(cache) + 2000):
        cache["".join(["key ", str(number)])] = f"what was computed for {number}"
more = Application(5)
second_file = tempfile.TemporaryFile("w")  # noqa: SIM115
policy.prepare()


def do_work() -> None:
    policy.after_fork()
    if policy.name == "immortal":
        application.read_everything()
        more.read_everything()
        total = 0
        for key, text in cache.items():
            total += hash(key) + hash(text) + len(text)
    else:
        for _ in range(3):
            gc.collect()


found = kept_by(do_work)
known = [reference() for reference in open_files._of_the_mold]
found["files"] = [any(file is each for each in known) for file in (first_file, second_file)]
found["files_known"] = len(known)
found["first_frozen"] = first_frozen
found["frozen"] = collector._frozen_objects
found["really_frozen"] = gc.get_freeze_count()
finish(found)
