"""Which interpreter this is, and which heap policies are possible with it.

The gates are by exact version and build, because the policies rely on CPython's memory layout:

- Immortal objects came with CPython 3.12 (PEP 683).
- Free-threaded builds count references in two words per object and per thread, and have another
  collector: they are only observed.
- Debug builds keep a total of all reference counts and assert on them.
- 3.14.0 to 3.14.4 had an incremental collector; 3.14.5 and 3.15 went back to generations.
- 3.15's pymalloc can use huge pages (gh-144319). With them a copy-on-write fault after a fork kills
  the child by SIGBUS when the pool of huge pages is exhausted (Doc/using/cmdline.rst of 3.15,
  PYTHON_PYMALLOC_HUGEPAGES).
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import NamedTuple

from cowherd_agent.interpreter.ladder_table import LADDER, REASONS, RUNGS


class Interpreter(NamedTuple):
    """The facts of an interpreter that policies depend on; plain data, so that choosing is pure."""

    implementation: str
    version: tuple[int, int, int]
    free_threaded: bool = False
    debug: bool = False
    pointer_bytes: int = 8
    little_endian: bool = True
    huge_pages: bool = False
    """pymalloc's arenas are mapped with MAP_HUGETLB where possible (3.15+, opt-in twice)."""

    @property
    def name(self) -> str:
        """As in messages: "CPython 3.13.0", "free-threaded CPython 3.14.1"."""
        pretty = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
        words = [pretty.get(self.implementation, self.implementation)]
        words.append(".".join(str(part) for part in self.version))
        if self.debug:
            words.insert(0, "debug")
        if self.free_threaded:
            words.insert(0, "free-threaded")
        return " ".join(words)

    @property
    def incremental_collector(self) -> bool:
        """Whether the collector is 3.14's incremental one, which 3.14.5 removed."""
        return (3, 14, 0) <= self.version < (3, 14, 5)


@cache
def identify() -> Interpreter:
    """This process's interpreter. Cached, so that asking in a worker imports and writes nothing."""
    major, minor, patch = sys.version_info[:3]
    abiflags = getattr(sys, "abiflags", "")
    return Interpreter(
        implementation=sys.implementation.name,
        version=(major, minor, patch),
        free_threaded="t" in abiflags or "free-threading" in sys.version,
        debug=hasattr(sys, "gettotalrefcount") or "d" in abiflags,
        pointer_bytes=ctypes.sizeof(ctypes.c_void_p),
        little_endian=sys.byteorder == "little",
        huge_pages=_huge_pages(),
    )


def _huge_pages() -> bool:
    """Whether pymalloc was both built for huge pages and told to use them.

    PyConfig reads the variable and respects -E and -I, so the configuration is queried instead of
    the environment (PyConfig_Get, 3.14+). The option exists even in builds without huge pages, so
    the build is checked first.
    """
    if sys.implementation.name != "cpython" or sys.version_info < (3, 15):
        return False
    import sysconfig

    if not sysconfig.get_config_var("PYMALLOC_USE_HUGEPAGES"):
        return False
    config_get = ctypes.pythonapi.PyConfig_Get
    config_get.argtypes = [ctypes.c_char_p]
    config_get.restype = ctypes.py_object
    try:
        return bool(config_get(b"pymalloc_hugepages"))
    except ValueError:
        return False


def why_not(policy_name: str, interpreter: Interpreter) -> str | None:
    """Why `interpreter` can't have the heap policy `policy_name`; None if it can.

    Pure. Failures that only a run can show (the self-tests) come later, as PolicyUnavailable.
    """
    rung = RUNGS.get(policy_name)
    if rung is None:
        names = ", ".join(reversed(RUNGS))
        return f"there is no such policy (there are {names} and auto)"
    for need in rung.needs:
        version = rung.newest if need == "newest" else rung.oldest
        if not _is_met(need, interpreter, version):
            told = ".".join(map(str, version or ()))
            return REASONS[need].format(interpreter=interpreter.name, version=told)
    return None


def _is_met(need: str, interpreter: Interpreter, version: tuple[int, int] | None) -> bool:
    if need == "oldest":
        return version is None or interpreter.version[:2] >= version
    if need == "newest":
        return version is None or interpreter.version[:2] <= version
    return {
        "no_huge_pages": not interpreter.huge_pages,
        "cpython": interpreter.implementation == "cpython",
        "gil": not interpreter.free_threaded,
        "release": not interpreter.debug,
        "64_bit": interpreter.pointer_bytes == 8 and interpreter.little_endian,
    }[need]


def available_policies(interpreter: Interpreter) -> list[str]:
    """The policies that `interpreter` can have, highest rung first."""
    return [rung.name for rung in LADDER if why_not(rung.name, interpreter) is None]
