"""Seals the mold's free pymalloc memory, so that workers' first allocations do not land in it.

A mold that has loaded an application has free slots all over its pages, which its workers share. An
allocation in a worker takes such a slot, and the write copies the whole page. If the free slots are
filled before the fork, workers use their own memory from the start.

pymalloc (Objects/obmalloc.c, the same in 3.10 to 3.15) hands out blocks of 32 size classes, 16
bytes apart, from pools of 16 KiB, which are cut from arenas of 1 MiB. Two kinds of free memory are
sealed:

- Free blocks in pools that are partly in use: for each class, as many blocks are allocated as
  `sys._debugmallocstats()` reports free. They are never freed. Their bytes are lost to the mold,
  but their pages are in use anyway.
- Wholly free pools: each is filled, then its pages but the first (which has the pool's header) are
  given back with madvise(MADV_DONTNEED), since nothing will ever be read from its blocks. So a free
  pool costs one page instead of four.

Blocks are allocated through `PyObject_Malloc`, which makes no object. For a block that was freed
before, it writes nothing but the pool's header.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import sys
from collections import deque
from collections.abc import Callable
from itertools import repeat
from typing import NamedTuple

from cowherd_agent.heap.report import Progress, StepReport, Throttle
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.rollup import anonymous_bytes

_MADV_DONTNEED = 4
_PASSES = 2
"""Sealing itself allocates and frees a little. In the first pass these allocations land in the
holes, some 200 KiB of them on 3.14. The second pass seals the freed blocks, and its own lie
together on new pages. A third pass finds no more, and costs the mold 100 KiB."""

_LARGEST_BLOCK_BYTES = 512


class SizeClass(NamedTuple):
    """A row of the table: blocks of `block_bytes` each."""

    block_bytes: int
    pools: int
    used: int
    free: int


class MallocStats(NamedTuple):
    """The statistics of pymalloc that sys._debugmallocstats() prints."""

    classes: tuple[SizeClass, ...]
    free_pools: int
    pool_bytes: int

    @property
    def free_block_bytes(self) -> int:
        return sum(each.block_bytes * each.free for each in self.classes)


_CLASS_ROW = re.compile(r"^ *\d+ +(\d+) +(\d+) +(\d+) +(\d+) *$", re.MULTILINE)
_FREE_POOLS = re.compile(r"^(\d+) unused pools \* (\d+) bytes", re.MULTILINE)


def parse(text: str) -> MallocStats | None:
    """Parses the statistics; None if the text has none: another allocator is in use. Pure."""
    pools = _FREE_POOLS.search(text)
    rows = [tuple(map(int, row)) for row in _CLASS_ROW.findall(text)]
    if pools is None or not rows:
        return None
    return MallocStats(
        classes=tuple(SizeClass(*row) for row in rows),
        free_pools=int(pools[1]),
        pool_bytes=int(pools[2]),
    )


def read_stats() -> MallocStats | None:
    """Reads sys._debugmallocstats(), which prints to C's stderr: descriptor 2 becomes a memfd."""
    debugmallocstats: Callable[[], None] | None = getattr(sys, "_debugmallocstats", None)
    if debugmallocstats is None:
        return None
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:
        return None
    target = os.memfd_create("cowherd-mallocstats")
    try:
        os.dup2(target, 2)
        try:
            debugmallocstats()
        finally:
            os.dup2(saved, 2)
        text = os.pread(target, os.fstat(target).st_size, 0)
    finally:
        os.close(saved)
        os.close(target)
    return parse(text.decode("ascii", "replace"))


def seal(progress: Progress | None = None, *, is_frozen: bool = True) -> StepReport:
    """Seal all free pymalloc memory of this process.

    With `is_frozen` the collector has nothing to look at. A full collection then costs nothing, and
    empties the interpreter's free lists (floats, tuples, ...), so that their slots are sealed too.

    The counts of the report: `blocks` and `block_bytes` sealed in pools in use; `pools` sealed that
    were free, and `given_back_bytes` of those; `left_free_bytes` that are still free.
    """
    throttle = Throttle(progress, "seal")
    anonymous_before = anonymous_bytes()
    stats = read_stats()
    reason = _why_not(stats)
    if reason is not None or stats is None:
        return StepReport("seal", throttle.end(0), skipped=reason)
    blocks = sealed_bytes = pools = given_back = 0
    clear_type_cache = _type_cache_clearer()
    for _ in range(_PASSES):
        clear_type_cache()
        if is_frozen:
            rawgc.collect()
        stats = read_stats()
        if stats is None:
            break
        for each in stats.classes:
            _allocate(each.block_bytes, each.free)
            blocks += each.free
            sealed_bytes += each.free * each.block_bytes
            throttle.at(blocks)
    if stats is not None:
        pools, given_back = _fill_pools(stats.free_pools, stats.pool_bytes, throttle, blocks)
        stats = read_stats()
    return StepReport(
        name="seal",
        seconds=throttle.end(blocks),
        price_bytes=anonymous_bytes() - anonymous_before,
        counts={
            "blocks": blocks,
            "block_bytes": sealed_bytes,
            "pools": pools,
            "given_back_bytes": given_back,
            "left_free_bytes": 0 if stats is None else stats.free_block_bytes,
        },
    )


def _type_cache_clearer() -> Callable[[], object]:
    """Returns a function that empties the interpreter's cache of attribute lookups, which keeps
    their names alive (Objects/typeobject.c, type_cache). C code that asks for an attribute makes a
    string for the lookup, and a worker's next lookup frees it, somewhere on a shared page. Before
    3.12 clearing the cache would also drop the versions of types, which are worth more.
    """
    if sys.version_info < (3, 12):
        return lambda: None
    clear: Callable[[], object] = ctypes.pythonapi.PyType_ClearCache
    return clear


def _why_not(stats: MallocStats | None) -> str | None:
    """Why sealing is impossible, or None. Tries one block, which must come from the expected class.
    Debug hooks and tracers make blocks larger, and other allocators have no classes."""
    if stats is None:
        return "the interpreter tells no pymalloc statistics (PYTHONMALLOC is set, or no stderr)"
    size = stats.classes[-1].block_bytes
    if size != _LARGEST_BLOCK_BYTES:
        return f"pymalloc's largest block is {size} bytes here"
    _allocate(size, 1)
    after = read_stats()
    if after is None or after.classes[-1].used != stats.classes[-1].used + 1:
        return "blocks do not land in the size class that is expected (PYTHONMALLOC is set?)"
    return None


def _allocate(size: int, count: int) -> None:
    """Allocate blocks for good."""
    malloc = ctypes.pythonapi["PyObject_Malloc"]
    malloc.argtypes = [ctypes.c_size_t]
    malloc.restype = None
    deque(map(malloc, repeat(size, count)), maxlen=0)


def _fill_pools(free_pools: int, pool_bytes: int, throttle: Throttle, done: int) -> tuple[int, int]:
    """Fill wholly free pools with the largest blocks; give back all pages but the first of each.

    Returns how many pools were filled, and how many bytes were given back.
    """
    malloc = ctypes.pythonapi["PyObject_Malloc"]
    malloc.argtypes = [ctypes.c_size_t]
    malloc.restype = ctypes.c_void_p
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    page = mmap.PAGESIZE
    blocks_per_pool = pool_bytes // _LARGEST_BLOCK_BYTES - 1
    filled = given_back = 0
    base = 0
    in_pool = 0
    # All blocks of the largest class are taken, so the next block starts a new pool.
    for _ in range(free_pools * blocks_per_pool):
        address = malloc(_LARGEST_BLOCK_BYTES)
        if address is None:
            break
        if address & ~(pool_bytes - 1) != base:
            base = address & ~(pool_bytes - 1)
            in_pool = 0
        in_pool += 1
        if in_pool == blocks_per_pool:
            filled += 1
            rest = pool_bytes - page
            if rest > 0 and madvise(base + page, rest, _MADV_DONTNEED) == 0:
                given_back += rest
            throttle.at(done + filled)
    return filled, given_back
