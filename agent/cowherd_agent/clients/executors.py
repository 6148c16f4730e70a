"""Thread pools of concurrent.futures: idle threads end before a fork, and come back on use.

A pool that was used before a fork is useless in the child: it still counts the idle threads, which
the fork has not copied, and starts none (`_adjust_thread_count` of
Lib/concurrent/futures/thread.py). The class has no call for that. So this module sets the few
attributes concerned, which are the same from 3.10 to 3.15, after trying it on a pool of its own.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import thread as pools
from queue import Empty
from typing import Any

from cowherd_agent.fork_safety import threads

CODE = "concurrent.futures.thread._worker"

IDLE_LOOKS = 250
LOOK_SECONDS = 0.002
"""How often, and how far apart, a pool with work in progress is looked at: half a second in all.
Looks and not seconds, since a busy machine takes longer for both the work and the looks."""

ENDING_SECONDS = 20.0
"""For what takes no time unless something is wrong."""

_VERSIONS = ((3, 10), (3, 15))


def end_idle_threads() -> int:
    """Ends the threads of all pools that have no work; returns the number of pools.

    Leaves a pool alone if it has work, or if this interpreter's pools do not behave as expected.
    """
    executors = _executors()
    if not executors or not _can_rest():
        return 0
    return sum(_rest(executor) for executor in executors)


def _executors() -> list[Any]:
    """The pools with threads, found by the weak reference that each thread's target gets first."""
    found: dict[int, Any] = {}
    for thread in threads.with_code(CODE):
        arguments = getattr(thread, "_args", ())
        executor = arguments[0]() if arguments else None
        if type(executor) is pools.ThreadPoolExecutor:
            found[id(executor)] = executor
    return list(found.values())


def _rest(executor: Any) -> bool:
    looks = 0
    while not _is_idle(executor):
        looks += 1
        if looks > IDLE_LOOKS:
            return False
        time.sleep(LOOK_SECONDS)
    with executor._shutdown_lock:
        ending = list(executor._threads)
        # A thread that finds None in its queue looks at this, passes the None on, and ends.
        executor._shutdown = True
        executor._work_queue.put(None)
    for thread in ending:
        thread.join(ENDING_SECONDS)
    with executor._shutdown_lock:
        executor._shutdown = False
        executor._threads.clear()
        executor._idle_semaphore = threading.Semaphore(0)
        _take_out_nones(executor._work_queue)
    return True


def _is_idle(executor: Any) -> bool:
    """Whether each of the pool's threads waits for work. A thread counts as idle only after its
    first work item."""
    if not executor._work_queue.empty():
        return False
    return bool(executor._idle_semaphore._value >= len(executor._threads))


def _take_out_nones(queue: Any) -> None:
    kept = []
    try:
        while True:
            item = queue.get_nowait()
            if item is not None:
                kept.append(item)
    except Empty:
        pass
    for item in kept:
        queue.put(item)


def _can_rest() -> bool:
    """Tries it with a test pool."""
    if not _VERSIONS[0] <= sys.version_info[:2] <= _VERSIONS[1]:
        return False
    try:
        with pools.ThreadPoolExecutor(max_workers=1) as executor:
            executor.submit(int).result(ENDING_SECONDS)
            if not _rest(executor) or executor._threads:
                return False
            return executor.submit(int, "7").result(ENDING_SECONDS) == 7
    except Exception:
        # A different implementation: the application's pools stay as they were.
        return False
