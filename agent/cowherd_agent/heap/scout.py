"""The scout: a forked child that tries what workers will do, before any worker is forked.

It does what the heap policy promises can be done without losing shared memory (read every object of
the heap; run a full collection), then runs the warm-up, measures how much of what it shared at its
fork it has had to copy, and leaves as a worker leaves. Only if it leaves well, and has copied
little, is the policy fit for use.

How every object is read: in the child, gc.unfreeze() puts the mold's objects back into a generation
and gc.freeze() takes them out again; both only splice lists, whose heads alone are written
(`gc_list_merge`, Python/gc.c; also in 3.14.0 to 3.14.4). In between, gc.get_objects() takes a
reference to each tracked object; then the referents of each are listed, which takes a reference to
each of those. Where reference counts are written, that copies every page that has an object on it.
What the scout itself allocates is new memory, and is not counted: unshared is what was shared at
the fork (`Shared_Dirty` of smaps_rollup) and is not shared at the end.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection
from itertools import compress, filterfalse
from types import CodeType
from typing import Any, NamedTuple, NoReturn

from cowherd_agent.forked_child import LEAVES, Tell, run_in_child
from cowherd_agent.heap import rawgc, rollup
from cowherd_agent.heap.hidden_referents import HiddenReferents
from cowherd_agent.heap.policies.base import Promise
from cowherd_agent.leaving import leave

LIMIT_BYTES = 8 * 1024 * 1024
LIMIT_SHARE = 0.10
"""Unshared memory is small up to this share of what was shared at the fork, or LIMIT_BYTES."""

_CHUNK_OBJECTS = 2000
_MAX_DEPTH = 6
"""How far nested untracked containers are followed."""
_MOST_READ = 500_000
"""How many of them are remembered as read (some 50 MiB); further ones may be read again."""
_UNTRACKED_CONTAINERS = frozenset((dict, tuple, CodeType))
_MIB = 1024 * 1024


class ScoutVerdict(NamedTuple):
    """
    Attributes:
        ok: whether the scout left well and copied little.
        reason: why not; empty if ok.
        unshared_bytes: what it had copied after what the policy promises (and, where reading is
            promised, after the warm-up); None if it could not be told.
        shared_at_fork_bytes: what it shared at its fork; None likewise.
        unshared_after_warmup_bytes: what it had copied in the end.
        seconds: from the fork to its end.
    """

    ok: bool
    reason: str
    unshared_bytes: int | None
    shared_at_fork_bytes: int | None
    seconds: float
    unshared_after_warmup_bytes: int | None = None


def limit_bytes(shared_at_fork_bytes: int) -> int:
    """How much unshared memory is small. Pure."""
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
        timeout_seconds: then the scout is killed.
        promises: of the policy that prepared this mold.
        after_fork: runs first in the scout, as HeapPolicy.after_fork in a worker.

    An `auto` that gets a bad verdict must use the next policy in a new mold: what was done to this
    one's heap can't be taken back.
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
    """Why a scout that left well has copied too much, or nothing. Pure."""
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
    """Take a reference to every object that can be reached, frozen or not; return how many
    references that were."""
    rawgc.unfreeze()
    tracked = rawgc.get_objects()
    rawgc.freeze()
    hidden = HiddenReferents()
    is_container = _UNTRACKED_CONTAINERS.__contains__
    references = len(tracked)
    # Of untracked containers only, which many objects share (code, tuples of names).
    read: set[int] = set()
    for start in range(0, len(tracked), _CHUNK_OBJECTS):
        objects = tracked[start : start + _CHUNK_OBJECTS]
        for _ in range(_MAX_DEPTH):
            found = gc.get_referents(*objects)
            found += hidden.of(objects)
            references += len(found)
            # Few are left for the slower loop: types are told apart at the speed of C.
            containers = compress(found, map(is_container, map(type, found)))
            objects = [
                item for item in filterfalse(gc.is_tracked, containers) if id(item) not in read
            ]
            if not objects:
                break
            if len(read) < _MOST_READ:
                read.update(map(id, objects))
    return references
