"""Seals the free chunks inside the C library's heap (glibc), as seal.py does with pymalloc's slots.

Blocks over 512 bytes (tables of dicts, lists, long strings) and the allocations of C code come from
malloc. The free chunks that malloc_trim() leaves share their first and last pages with chunks in
use, and a worker's first allocations would copy those.

Free chunks are allocated for good, largest first. malloc takes the smallest free chunk that is
large enough, and cuts the top of the heap only if there is none (`_int_malloc`, malloc/malloc.c).
So when an allocation of some size comes out of the top, no free chunk of that size is left, and the
next smaller size is tried. Chunk sizes are multiples of 16. A sealed chunk whose pages are not
present costs nothing.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator

from cowherd_agent.heap.report import Progress, StepReport, Throttle
from cowherd_agent.interpreter.rollup import anonymous_bytes

_GRAIN_BYTES = 16
_HEADER_BYTES = 8
_SMALLEST_CHUNK_BYTES = 32
_FINE_UP_TO_BYTES = 64 * 1024
_COARSE_STEP_BYTES = 4096
_LARGEST_CHUNK_BYTES = 64 * 1024 * 1024

_RANGE = re.compile(r'<(?:size|unsorted) from="(\d+)" to="(\d+)"')


class _Mallinfo2(ctypes.Structure):
    """struct mallinfo2 (malloc.h, glibc 2.33+)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def seal_c_heap(progress: Progress | None = None) -> StepReport:
    """Seal the free chunks of the main heap. Call it on the main thread, after trim().

    The counts of the report: `chunks` and `chunk_bytes` sealed, `left_free_bytes` that are still
    free, not counting the top.
    """
    throttle = Throttle(progress, "seal the C heap")
    anonymous_before = anonymous_bytes()
    libc = ctypes.CDLL(None)
    try:
        mallinfo2 = libc.mallinfo2
        malloc, free, sbrk, malloc_trim = libc.malloc, libc.free, libc.sbrk, libc.malloc_trim
    except AttributeError:
        return StepReport("seal the C heap", throttle.end(0), skipped="this is not glibc 2.33+")
    mallinfo2.restype = _Mallinfo2
    malloc.argtypes = [ctypes.c_size_t]
    malloc.restype = ctypes.c_void_p
    free.argtypes = [ctypes.c_void_p]
    free.restype = None
    sbrk.argtypes = [ctypes.c_ssize_t]
    sbrk.restype = ctypes.c_void_p

    before = mallinfo2()
    top = (sbrk(0) or 0) - before.keepcost
    bottom = top - before.arena
    probe = malloc(_LARGEST_PROBE_BYTES)
    free(probe)
    if not probe or not bottom <= probe < top + before.keepcost:
        reason = "malloc does not use the main heap (another allocator is loaded?)"
        return StepReport("seal the C heap", throttle.end(0), skipped=reason)
    chunks = chunk_bytes = 0
    for size in _sizes(_largest_free_chunk(libc)):
        request = size - _HEADER_BYTES
        while True:
            address = malloc(request)
            if not address or not bottom <= address < top:
                free(address)
                break
            chunks += 1
            chunk_bytes += size
        throttle.at(chunks)
    # Chunks cut out of the top have left a header at each size that was tried. Workers would share
    # these pages, and copy them with their first allocations.
    malloc_trim(0)
    after = mallinfo2()
    return StepReport(
        name="seal the C heap",
        seconds=throttle.end(chunks),
        price_bytes=anonymous_bytes() - anonymous_before,
        counts={
            "chunks": chunks,
            "chunk_bytes": chunk_bytes,
            "left_free_bytes": max(0, after.fordblks - after.keepcost),
        },
    )


_LARGEST_PROBE_BYTES = 2000
"""More than the thread's cache keeps, so that the probe goes back to the heap itself."""


def _sizes(largest: int) -> Iterator[int]:
    """Chunk sizes to try, in falling order. Pure."""
    largest = min(largest, _LARGEST_CHUNK_BYTES)
    size = largest - largest % _GRAIN_BYTES
    while size >= _SMALLEST_CHUNK_BYTES:
        yield size
        step = _GRAIN_BYTES if size <= _FINE_UP_TO_BYTES else _COARSE_STEP_BYTES
        size -= step


def _largest_free_chunk(libc: ctypes.CDLL) -> int:
    """The end of the largest range of free chunks in the main heap, by malloc_info(3)."""
    libc.open_memstream.restype = ctypes.c_void_p
    text = ctypes.c_char_p()
    length = ctypes.c_size_t()
    stream = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(length)))
    if not stream:
        return _FINE_UP_TO_BYTES
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    main_heap = (text.value or b"").decode("ascii", "replace").partition("</heap>")[0]
    libc.free(text)
    return max((int(to) for _, to in _RANGE.findall(main_heap)), default=_FINE_UP_TO_BYTES)
