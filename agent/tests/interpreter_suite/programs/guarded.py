"""guarded.py MODE POLICY: calls of the gc module's functions in a worker under a guard.

The mold installs the guard, disarmed, before the "library" is made; the library got its functions
by `from gc import ...`.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

from cowherd_agent.collection import guard
from cowherd_agent.collection.collector import CollectorSettings, collection_watch
from cowherd_agent.collection.guard import GuardCall
from cowherd_agent.interpreter import rawgc
from cowherd_agent.policies import make
from herdlike import finish, in_child

mode: Any = sys.argv[1]
policy = make(sys.argv[2])
installed = guard.install(mode, policy.name, armed=False)

LIBRARY = """
from gc import collect, disable, enable, freeze, isenabled, set_threshold, unfreeze

def work():
    was_enabled = isenabled()
    disable()
    try:
        pass
    finally:
        if was_enabled:
            enable()

def meddle():
    set_threshold(700, 10, 10)
    unfreeze()
    return collect()
"""
library: dict[str, Any] = {"__name__": "meddler.core"}
exec(compile(LIBRARY, "/site/meddler/core.py", "exec"), library)

policy.before_load()
library["meddle"]()
uncounted = len(installed.calls())
policy.prepare()


class Slot:
    words = memoryview(bytearray(256)).cast("Q")


def child() -> dict[str, Any]:
    seen: list[GuardCall] = []
    slot = Slot()
    policy.after_fork(CollectorSettings(slot=slot))
    installed.arm(on_call=seen.append, slot=slot)
    frozen = gc.get_freeze_count()
    enabled = gc.isenabled()
    for _ in range(3):
        library["work"]()
    still_enabled = gc.isenabled()
    collected = library["meddle"]()
    threshold = gc.get_threshold()[0]
    frozen_after = gc.get_freeze_count()
    before_c = collection_watch().collections_inside
    # C code bypasses the replaced functions.
    ctypes.pythonapi.PyGC_Collect()
    from_c = collection_watch().collections_inside - before_c
    rawgc.set_threshold(50)
    young = [[number] for number in range(5000)]
    threshold_reset = rawgc.get_threshold()[0]
    return {
        "calls": {
            f"{call.function} {call.line}": [call.package, call.file, call.held, call.count]
            for call in installed.calls()
        },
        "told": len(seen),
        "held": slot.words[12],
        "reported": slot.words[13],
        "inside": slot.words[10],
        "collected": collected,
        "threshold": threshold,
        "threshold_reset": threshold_reset,
        "kept_frozen": bool(frozen) and frozen_after >= frozen,
        "enabled": [enabled, still_enabled],
        "from_c": from_c,
        "young": len(young),
    }


found = in_child(child)
found["uncounted"] = uncounted
finish(found)
