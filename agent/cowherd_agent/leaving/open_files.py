"""The files that a mold has open for writing.

A process that leaves without finalization flushes its open files itself (leaving.py). Its own files
are found among its tracked objects. Its mold's are frozen, where gc.get_objects() does not look, so
they are noted before.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import weakref
from collections.abc import Sequence

from cowherd_agent.interpreter import rawgc

_BUFFERED = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)

_of_the_mold: list[weakref.ref[object]] = []

# Whether remember() was called. gc.get_freeze_count() would walk all frozen objects
# (Modules/gcmodule.c, gc_get_freeze_count_impl).
_heap_is_frozen = False


def flush(objects: Sequence[object]) -> list[object]:
    """Flush the open files with a buffer among `objects`; return them."""
    # By the types present, which are few: a worker may have made a million objects. Not by
    # isinstance, which would ask objects of the application for __class__.
    kinds = {kind for kind in set(map(type, objects)) if issubclass(kind, _BUFFERED)}
    files = [item for item in objects if type(item) in kinds] if kinds else []
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            if not file.closed:  # type: ignore[attr-defined]
                file.flush()  # type: ignore[attr-defined]
    return files


def _own_candidates() -> list[object]:
    """Objects that this process made itself, including at least every open file.

    A list of all objects takes 8 bytes for each, in every worker at once. From 3.12 on a file
    refers to its class (Modules/_io/textio.c, textiowrapper_traverse), so it is found through that.
    """
    if sys.version_info < (3, 12):
        return rawgc.get_objects()
    kinds = list(_BUFFERED)
    for kind in kinds:
        kinds += (each for each in type.__subclasses__(kind) if each not in kinds)
    return gc.get_referrers(*kinds)


def remember() -> int:
    """Note the files open in a mold that is about to freeze its objects; return how many.

    They are flushed too: data buffered at a fork would be written once by every process.
    """
    global _heap_is_frozen
    _heap_is_frozen = True
    # Files of an earlier generation are frozen already.
    earlier = [file for file in (reference() for reference in _of_the_mold) if file is not None]
    found = {id(file): file for file in [*earlier, *flush(rawgc.get_objects())]}
    _of_the_mold[:] = [weakref.ref(file) for file in found.values()]
    return len(_of_the_mold)


def flush_all() -> None:
    """Flush files that this process made since objects were frozen, and those its mold had open.

    Does nothing if nothing was frozen: looking for files would read, and so copy, the heap.
    """
    if _heap_is_frozen:
        flush([*_own_candidates(), *(reference() for reference in _of_the_mold)])
