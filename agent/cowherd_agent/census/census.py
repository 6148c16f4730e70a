"""The census: who owns each page of this process's memory.

An object's owner is the module that holds it. Objects don't say which: a table's rows are dicts and
strings like all others. So the census walks the modules one after the other, and assigns what it
reaches from a module to that module:

- Modules are walked in the order of sys.modules, which is the order in which their imports were
  completed (`_load_unlocked` of Lib/importlib/_bootstrap.py takes a module out and puts it in again
  when it is loaded). An object that several modules refer to belongs to the first of them.
- The walk goes from no module into another, nor into another's namespace, which every function
  refers to.
- Functions and classes belong to the module that they name, wherever they were met.
- Objects that no module reaches (held by frames or by C code only) belong to None.

The census runs in a child of the process to be counted: the walk takes a reference to every object,
which copies the page of each that is not immortal. The walk itself needs little memory: a bit for
each 16 bytes of the heap (census/visited.py), and results are written as they are found.

Without the Cowherd server, in gunicorn.conf.py::

    from cowherd_agent.census import write_census
    from cowherd_agent.forked_child import run_in_child

    preload_app = True

    def when_ready(server):
        run_in_child(lambda tell: write_census("/run/shop/census"), timeout_seconds=60)

In uWSGI with a master (not lazy-apps), put the same call at the end of the module that makes the
application.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from itertools import compress
from types import FunctionType
from typing import Any, NamedTuple

from cowherd_agent.census.census_file import CensusFile
from cowherd_agent.census.census_tally import NOBODY, CensusTally
from cowherd_agent.census.visited import Visited
from cowherd_agent.fork_safety.foreign_modules import is_module, namespace_of
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.by_type import ByType, is_kind_of
from cowherd_agent.interpreter.hidden_referents import of_type
from cowherd_agent.interpreter.interpreter import Interpreter, identify

_CHUNK_OBJECTS = 2000
_PIECE_OBJECTS = 50_000

_module_of_class = type.__dict__["__module__"].__get__


class CensusUnavailable(Exception):
    """No census can be taken with this interpreter; says why."""


def why_not(interpreter: Interpreter) -> str | None:
    """Why no census can be taken with this interpreter; None if one can. Pure."""
    if interpreter.implementation != "cpython" or interpreter.pointer_bytes != 8:
        return f"where the objects of {interpreter.name} lie is not known"
    if interpreter.free_threaded:
        return "objects of a free-threaded build have other headers"
    return None


class Census(NamedTuple):
    """
    Attributes:
        objects: how many were counted.
        bytes: memory of the objects and their tables.
        seconds: how long the census took.
    """

    objects: int
    bytes: int
    seconds: float


def write_census(path: str) -> Census:
    """Walks all objects of this process and writes their owners to `path`, mode 0600.

    The file appears only when it is complete. Raises OSError when it can't be written, and
    CensusUnavailable.
    """
    reason = why_not(identify())
    if reason is not None:
        raise CensusUnavailable(reason)
    started = time.perf_counter()
    file = CensusFile(path)
    was_enabled = rawgc.isenabled()
    # The walk makes and drops lists of objects, none of which can be garbage in a cycle.
    rawgc.disable()
    try:
        tally = CensusTally(file)
        _Walk(tally).run()
        seconds = time.perf_counter() - started
        tally.finish(seconds)
        return Census(tally.objects, tally.bytes, seconds)
    finally:
        file.discard()
        if was_enabled:
            rawgc.enable()


class _Walk:
    """Goes through all objects, module by module."""

    def __init__(self, tally: CensusTally) -> None:
        self._tally = tally
        self._listers = ByType(tally.hidden.lister_of)
        self._visited = Visited()
        self._module_numbers: dict[str, int] = {}
        self._say_their_module = ByType(_says_its_module)
        # Functions and classes that were met outside their own module.
        self._pending: defaultdict[int, list[object]] = defaultdict(list)

    def run(self) -> None:
        roots = list(self._roots())
        for number, root in roots:
            self._walk(number, root + self._pending.pop(number, []))
        self._walk_pending()
        for objects in self._unreached():
            self._walk(NOBODY, objects)
        self._walk_pending()

    def _roots(self) -> Iterator[tuple[int, list[object]]]:
        """Yields each module with its namespace, marked as met: no other module can claim them."""
        modules = self._tally.modules
        numbers: dict[int, int] = {}
        for name, module in _as_completed():
            known = numbers.get(id(module))
            if known is not None:
                # Another name of the same module, as os.path is.
                self._module_numbers[name] = known
                continue
            numbers[id(module)] = self._module_numbers[name] = len(modules)
            modules.append(name)
            root: list[object] = [module]
            if is_module(module):
                root.append(namespace_of(module))
            yield len(modules) - 1, self._visited.unmet(root)

    def _walk_pending(self) -> None:
        while self._pending:
            number = min(self._pending)
            self._walk(number, self._pending.pop(number))

    def _unreached(self) -> Iterator[list[object]]:
        was_frozen = gc.get_freeze_count() > 0
        if was_frozen:
            # gc.get_objects() leaves frozen objects out. Unfreezing writes only the heads of the
            # lists (gc_list_merge, Python/gc.c).
            rawgc.unfreeze()
        tracked = rawgc.get_objects()
        if was_frozen:
            rawgc.freeze()
        while tracked:
            chunk = tracked[-_CHUNK_OBJECTS:]
            del tracked[-_CHUNK_OBJECTS:]
            yield self._own(NOBODY, self._visited.unmet(chunk))

    def _walk(self, module: int, roots: list[object]) -> None:
        """Counts the roots, which are already marked as met, and all that is reached from them."""
        tally, unmet = self._tally, self._visited.unmet
        tally.begin(module)
        # Depth first, by chunks, so that a list holds only the referents of one chunk.
        stack = [roots]
        while stack:
            top = stack[-1]
            if not top:
                stack.pop()
                continue
            chunk = top[-_CHUNK_OBJECTS:]
            del top[-_CHUNK_OBJECTS:]
            further = tally.count(chunk)
            if not further:
                continue
            found = gc.get_referents(*further)
            for lister, item in self._with_hidden_referents(further):
                found += lister(item)
            for cls in self._classes_among(further):
                found += of_type(cls)
            # A piece at a time: one list may have millions of objects.
            for start in range(0, len(found), _PIECE_OBJECTS):
                new = self._own(module, unmet(found[start : start + _PIECE_OBJECTS]))
                if new:
                    stack.append(new)
            del found

    def _with_hidden_referents(
        self, objects: list[object]
    ) -> Iterator[tuple[Callable[[Any], Iterable[object]], object]]:
        listers = list(self._listers.of_each(objects))
        return compress(zip(listers, objects, strict=True), listers)  # type: ignore[arg-type]

    def _classes_among(self, objects: list[object]) -> list[type]:
        says = list(self._say_their_module.of_each(objects))
        if not any(says):
            return []
        return [item for item in compress(objects, says) if type(item) is not FunctionType]  # type: ignore[misc]

    def _own(self, module: int, objects: list[object]) -> list[object]:
        """Drops functions and classes of other modules, which wait until their module is walked."""
        says = list(self._say_their_module.of_each(objects))
        if not any(says):
            return objects
        own: list[object] = []
        for item, says_it in zip(objects, says, strict=True):
            number = self._number_said_by(item) if says_it else None
            if number is None or number == module:
                own.append(item)
            else:
                self._pending[number].append(item)
        return own

    def _number_said_by(self, item: object) -> int | None:
        try:
            name = item.__module__ if type(item) is FunctionType else _module_of_class(item)
        except AttributeError:
            return None
        return self._module_numbers.get(name) if type(name) is str else None


def _as_completed() -> list[tuple[str, Any]]:
    """All modules in the order in which their imports were completed. Modules that are still being
    imported come last, the innermost of them first, and `__main__` after all others."""
    completed: list[tuple[str, Any]] = []
    unfinished: list[tuple[str, Any]] = []
    for name, module in list(sys.modules.items()):
        if type(name) is str and module is not None:
            (unfinished if _is_unfinished(name, module) else completed).append((name, module))
    return completed + unfinished[::-1]


def _is_unfinished(name: str, module: object) -> bool:
    if name == "__main__":
        # It was there before all others.
        return True
    if not is_module(module):
        return False
    spec = namespace_of(module).get("__spec__")
    # Set while the module is loaded (Lib/importlib/_bootstrap.py, _load_unlocked).
    return type(spec) is ModuleSpec and getattr(spec, "_initializing", False) is True


def _says_its_module(kind: type) -> bool:
    """Whether objects of a type name their module: functions, and classes."""
    return kind is FunctionType or is_kind_of(kind, type)
