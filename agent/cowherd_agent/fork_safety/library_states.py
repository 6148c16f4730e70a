"""What some libraries report about themselves, by public means, and its effect on workers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from cowherd_agent.fork_safety.finding import Finding

_REMEDY = (
    "run that in a worker only, not while the application loads;"
    " --allow-threads if workers do not use it"
)


def find() -> list[Finding]:
    return [
        Finding("native threads", f"{name}: in a worker {consequence}", _REMEDY, True)
        for name, has_begun, consequence in _LOOKS
        if name in sys.modules and has_begun(sys.modules[name])
    ]


def _numba_uses_gnu_openmp(numba: Any) -> bool:
    # Raises ValueError before the first parallel function (numba/np/ufunc/parallel.py).
    try:
        return bool(numba.threading_layer() == "omp")
    except ValueError:
        return False


def _torch_has_cuda(torch: Any) -> bool:
    return bool(torch.cuda.is_initialized())


_LOOKS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    # numba/np/ufunc/omppool.cpp: "Terminating: fork() called from a process already using GNU
    # OpenMP".
    (
        "numba",
        _numba_uses_gnu_openmp,
        "a parallel function ends the process: numba's OpenMP layer runs already"
        " (NUMBA_THREADING_LAYER=workqueue has no such limit)",
    ),
    # https://docs.pytorch.org/docs/stable/notes/multiprocessing.html
    ("torch", _torch_has_cuda, "CUDA can't be used: it was initialized before the fork"),
)
