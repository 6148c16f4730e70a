"""The fate of C libraries' threads in forked workers. Pure.

A fork copies none of them. Many libraries handle that (pthread_atfork(3)), others work well
without; some hang. Each line here was tried with the library's newest release.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.native_threads import NativeThread


class KnownLibrary(NamedTuple):
    """
    Attributes:
        library: searched for in the library's file, from its package on.
        thread: matches the start of the thread's name.
        breaks: what goes wrong in a worker; empty if nothing does.
    """

    library: re.Pattern[str]
    thread: re.Pattern[str]
    breaks: str


def _known(library: str, thread: str = "", breaks: str = "") -> KnownLibrary:
    return KnownLibrary(re.compile(library), re.compile(thread), breaks)


# The first line that matches counts.
_KNOWN = (
    # jemalloc starts its background threads again (background_thread_postfork_child of
    # src/background_thread.c).
    _known(r"", r"jemalloc_bg_thd"),
    # libuv makes a new pool in a child (src/threadpool.c, reset_once).
    _known(r"", r"libuv-worker"),
    # pthread_atfork: the pool ends before a fork and is made again when it is needed
    # (driver/others/blas_server.c of OpenBLAS).
    _known(r"openblas"),
    # pthread_atfork likewise (openmp/runtime/src/z_Linux_util.cpp of LLVM, __kmp_register_atfork).
    _known(r"lib(iomp5|omp)\b"),
    # cpp/src/arrow/util/atfork_internal.cc
    _known(r"libarrow"),
    # The calling thread does all the work itself if its helpers do not answer.
    _known(r"onnxruntime"),
    _known(r"_?duckdb"),
    # Its own pool of threads, which a child makes again (modules/core/src/parallel_impl.cpp).
    _known(r"cv2\b|libopencv"),
    # A call in a worker makes its own threads and its own connection.
    _known(r"cygrpc"),
    # Switches its parallelism off in a child (bindings/python/src/lib.rs, child_after_fork).
    _known(r"\btokenizers\."),
    # Starts its threads again, some at the next use (ddtrace/internal/forksafe.py).
    _known(r"^ddtrace/"),
    # Threads made at import. The pool comes with the first query, and has threads of other names.
    _known(r"polars", r"polars-[a-z]"),
    _known(
        r"polars",
        r"polars-\d|async-executor|tokio",
        breaks="a query of polars waits for ever: its thread pool does not survive a fork",
    ),
    _known(
        r"librdkafka|cimpl",
        r"rdk:",
        breaks="a Kafka client sends and receives nothing: its threads do not survive a fork",
    ),
)

_ADVICE = (
    "let the library begin its work in a worker: after a fork, not while the application loads;"
    " --allow-threads if workers do not use it"
)


def find(threads: Sequence[NativeThread]) -> list[Finding]:
    """One finding for each library that is known to break, or is unknown."""
    breaking: dict[str, str] = {}
    unknown: Counter[tuple[str, str]] = Counter()
    for thread in threads:
        known = _look_up(thread)
        if known is None:
            if not thread.library:
                # An unknown thread of no library: nobody could do anything about it.
                continue
            unknown[thread.library, thread.name] += 1
        elif known.breaks:
            breaking.setdefault(known.breaks, thread.library or thread.name)
    return [
        *(
            Finding(
                "native threads", f"native threads of {of}: in a worker {breaks}", _ADVICE, True
            )
            for breaks, of in breaking.items()
        ),
        *(
            Finding(
                "native threads",
                f"{count} native thread(s) named {name!r}, of {library}: workers do not have them",
                "try what uses the library in a worker; --allow-threads says that all is well",
            )
            for (library, name), count in unknown.items()
        ),
    ]


def without_returned(
    threads: Sequence[NativeThread], in_child: Sequence[NativeThread]
) -> list[NativeThread]:
    """The threads that a child of their process lacks."""
    returned = Counter(in_child)
    missing = []
    for thread in threads:
        if returned[thread] > 0:
            returned[thread] -= 1
        else:
            missing.append(thread)
    return missing


def _look_up(thread: NativeThread) -> KnownLibrary | None:
    for known in _KNOWN:
        if known.library.search(thread.library) and known.thread.match(thread.name):
            return known
    return None
