"""The scout: a forked child that tries what workers will do, before any worker is forked.

It does everything the heap policy promises to be possible without losing shared memory (read every
object of the heap; run a full collection). Then it runs the warm-up, measures how much of the
memory shared at its fork it had to copy, and leaves as a worker leaves. The policy is fit for use
only if the scout leaves well and has copied little.

How every object is read: in the child, gc.unfreeze() puts the mold's objects back into a generation
and gc.freeze() takes them out again; both only splice lists, whose heads alone are written
(`gc_list_merge`, Python/gc.c; also in 3.14.0 to 3.14.4). In between, gc.get_objects() takes a
reference to each tracked object. Then the referents of each are listed, which takes a reference to
each of those. Where reference counts are written, that copies every page that has an object on it.
The scout's own allocations are new memory, and are not counted: unshared memory was shared at the
fork and is not shared at the end (shared pages of mappings without a file, in smaps).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection
from itertools import compress, filterfalse
from types import CodeType
from typing import Any, NamedTuple, NoReturn

from cowherd_agent.forked_child import LEAVES, Tell, run_in_child
from cowherd_agent.interpreter import rawgc, rollup
from cowherd_agent.interpreter.hidden_referents import HiddenReferents
from cowherd_agent.leaving.leaving import leave
from cowherd_agent.policies.base import Promise

LIMIT_BYTES = 8 * 1024 * 1024
LIMIT_SHARE = 0.10
"""Unshared memory is small up to this share of the memory shared at the fork, or LIMIT_BYTES."""

_CHUNK_OBJECTS = 2000
_MAX_DEPTH = 6
"""How deep nested untracked containers are followed."""
_MOST_READ = 500_000
"""How many of them are remembered as read (some 50 MiB); others may be read again."""
_UNTRACKED_CONTAINERS = frozenset((dict, tuple, CodeType))
_MIB = 1024 * 1024


class ScoutVerdict(NamedTuple):
    """
    Attributes:
        ok: whether the scout left well and copied little.
        reason: why not; empty if ok.
        unshared_bytes: memory copied by the policy's promised actions (where reading is promised,
            also by the warm-up); None if unknown.
        shared_at_fork_bytes: memory shared at the fork; None if unknown.
        unshared_after_warmup_bytes: memory copied in the end; None if unknown.
        seconds: from the fork to the scout's end.
    """

    ok: bool
    reason: str
    unshared_bytes: int | None
    shared_at_fork_bytes: int | None
    seconds: float
    unshared_after_warmup_bytes: int | None = None


def limit_bytes(shared_at_fork_bytes: int) -> int:
    """Up to how many bytes unshared memory is small. Pure."""
    return max(LIMIT_BYTES, int(shared_at_fork_bytes * LIMIT_SHARE))


def run_scout(
    warmup: Callable[[], object] | None = None,
    timeout_seconds: float = 60.0,
    *,
    promises: Collection[Promise] = ("read", "collect"),
    after_fork: Callable[[], object] | None = None,
) -> ScoutVerdict:
    """Fork a scout of this prepared mold, and wait for its verdict.

    Args:
        warmup: played in the scout; an exception makes the verdict bad.
        timeout_seconds: when the scout is killed.
        promises: of the policy that prepared this mold.
        after_fork: runs first in the scout, as HeapPolicy.after_fork in a worker.

    An `auto` that gets a bad verdict must use the next policy in a new mold: changes to this one's
    heap can't be undone.
    """
    outcome = run_in_child(lambda tell: _scout(tell, warmup, promises, after_fork), timeout_seconds)
    found = outcome.found
    must_stay_shared = "read" in promises or "collect" in promises
    reason = outcome.fault("scout", timeout_seconds) or (_judge(found) if must_stay_shared else "")
    return ScoutVerdict(
        ok=not reason,
        reason=reason,
        unshared_bytes=found.get("unshared"),
        shared_at_fork_bytes=found.get("shared_at_fork"),
        seconds=outcome.seconds,
        unshared_after_warmup_bytes=found.get("unshared_after_warmup"),
    )


def _judge(found: dict[str, Any]) -> str:
    """Why a scout that left well has copied too much; empty if it has not. Pure."""
    unshared, shared = found.get("unshared"), found.get("shared_at_fork")
    if unshared is None or shared is None:
        return "the scout could not measure its memory (no /proc/self/smaps)"
    if unshared > limit_bytes(shared):
        return (
            f"the scout copied {unshared / _MIB:.1f} MiB of the {shared / _MIB:.1f} MiB that it "
            f"shared at its fork (limit {limit_bytes(shared) / _MIB:.1f} MiB)"
        )
    return ""


def _scout(
    tell: Tell,
    warmup: Callable[[], object] | None,
    promises: Collection[Promise],
    after_fork: Callable[[], object] | None,
) -> NoReturn:
    """The child's life."""
    before = rollup.shared_anonymous_bytes()
    tell(shared_at_fork=before)
    if after_fork is not None:
        tell(step="apply the policy")
        after_fork()
    if "read" in promises:
        tell(step="read every object")
        read_every_object()
    if "collect" in promises:
        tell(step="run a full collection")
        rawgc.collect()
    unshared = _unshared_since(before)
    tell(unshared=unshared)
    final = unshared
    if warmup is not None:
        tell(step="run the warm-up")
        warmup()
        final = _unshared_since(before)
    tell(unshared_after_warmup=final)
    if "read" in promises:
        tell(unshared=final)
    tell(step=LEAVES)
    leave(0)


def _unshared_since(before: int | None) -> int | None:
    now = rollup.shared_anonymous_bytes()
    return None if before is None or now is None else max(0, before - now)


def read_every_object() -> int:
    """Take a reference to every reachable object, frozen or not; return how many were taken."""
    rawgc.unfreeze()
    tracked = rawgc.get_objects()
    rawgc.freeze()
    hidden = HiddenReferents()
    is_container = _UNTRACKED_CONTAINERS.__contains__
    references = len(tracked)
    # Only of untracked containers, which many objects share (code, tuples of names).
    read: set[int] = set()
    for start in range(0, len(tracked), _CHUNK_OBJECTS):
        objects = tracked[start : start + _CHUNK_OBJECTS]
        for _ in range(_MAX_DEPTH):
            found = gc.get_referents(*objects)
            found += hidden.of(objects)
            references += len(found)
            # Few reach the slower loop below: this compares types at the speed of C.
            containers = compress(found, map(is_container, map(type, found)))
            objects = [
                item for item in filterfalse(gc.is_tracked, containers) if id(item) not in read
            ]
            if not objects:
                break
            if len(read) < _MOST_READ:
                read.update(map(id, objects))
    return references
