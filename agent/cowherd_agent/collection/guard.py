"""The guard: counts who steers the garbage collector in a worker, and holds calls that would undo
the policy.

It replaces `gc.enable`, `disable`, `set_threshold`, `freeze`, `unfreeze` and `collect`, and counts
their calls by package, file and line. In mode `hold` it does not carry out calls that would undo
the heap policy; in mode `report` it carries out everything; mode `off` installs nothing.

What undoes a policy:

==================  =========  ==================  ======================================
call                instagram  freeze, immortal    why
==================  =========  ==================  ======================================
enable, disable     through    through             the policies rest on a threshold of 0, not on
                                                   this flag. So `gc.isenabled()` is what a library
                                                   expects, and the usual "disable, work, enable if
                                                   it was enabled" works and changes nothing
set_threshold(0)    through    through             it is what the policy set
set_threshold(n)    held       held                automatic collection would run inside requests,
                                                   and under instagram through the mold's objects
unfreeze            held       held                the mold's objects would be collected again,
                                                   which writes the header of each
freeze              through    through             takes the worker's own objects out of the
                                                   collector's sight; the mold's already are
collect             held       through             under instagram it walks, and so copies, the
                                                   whole heap; the other policies have frozen it,
                                                   and only the request that asked for it waits
==================  =========  ==================  ======================================

Under `stock` there is nothing to hold. A held call returns what it returns when there is nothing to
do: None, and 0 for `collect`.

A module that did `from gc import collect` before the guard was installed has the original. So the
mold installs the guard before it loads the application, disarmed: calls go through uncounted until
`arm` is called in a worker. C code can still set a threshold or collect. The guard sees that
through gc.callbacks, when a collection starts that is not ours: it counts the collection as
`collection` with the Python frame it came from, and sets the threshold back to 0.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from types import FrameType
from typing import Any, Literal

from cowherd_agent.collection.collector import SlotLike, collection_watch
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.ladder_table import RUNGS
from cowherd_agent.wire import scoreboard

GuardMode = Literal["hold", "report", "off"]

GUARDED = ("enable", "disable", "set_threshold", "freeze", "unfreeze", "collect")

_IDLE_RESULT: dict[str, object] = {"collect": 0}


@dataclass(frozen=True, slots=True)
class GuardCall:
    """One function's calls from one line.

    Attributes:
        function: of the gc module, as "enable"; or "collection", for one that bypassed the guard.
        package: the top-level package of the calling module, as "msgpack".
        file, line: where the call stands.
        held: whether the call is held.
        count: calls so far.
    """

    function: str
    package: str
    file: str
    line: int
    held: bool
    count: int = 1


OnCall = Callable[[GuardCall], None]


def undoes(policy_name: str, function: str, arguments: tuple[object, ...]) -> bool:
    """Whether the call would undo the policy. Pure."""
    rung = RUNGS.get(policy_name)
    if rung is None or function not in rung.guard_holds:
        return False
    return not (function == "set_threshold" and arguments[:1] == (0,))


class Guard:
    """See the module. One per process; made by `install`."""

    def __init__(self, mode: GuardMode, policy_name: str) -> None:
        self.mode: GuardMode = mode
        self.policy_name = policy_name
        self._armed = False
        self._on_call: OnCall | None = None
        self._slot: SlotLike | None = None
        self._calls: dict[tuple[str, str, int], GuardCall] = {}
        # Reentrant: a finalizer that runs in here may call gc functions too.
        self._lock = RLock()
        self._passing_collect = 0
        # Set while this process ends: calls are still held, but no longer reported.
        self.is_leaving = False

    def arm(
        self,
        policy_name: str | None = None,
        on_call: OnCall | None = None,
        slot: SlotLike | None = None,
    ) -> None:
        """Start to count and to hold, in a new worker.

        Args:
            policy_name: the policy that was chosen, if it was not known at the installation.
            on_call: gets the first call from each place.
            slot: the worker's scoreboard row, for the words GUARD_HELD and GUARD_REPORTED.
        """
        if policy_name is not None:
            self.policy_name = policy_name
        self._on_call = on_call
        self._slot = slot
        self._calls = {}
        self._lock = RLock()
        self._armed = self.mode != "off"
        collection_watch().on_start = self._collection_started if self._armed else None

    def configure(self, mode: GuardMode, policy_name: str) -> None:
        """Change mode and policy after the installation; call before `arm`."""
        self.mode = mode
        self.policy_name = policy_name
        if mode == "off":
            self.disarm()

    def disarm(self) -> None:
        """Let everything through, uncounted, as while the mold loads."""
        self._armed = False
        collection_watch().on_start = None

    def calls(self) -> list[GuardCall]:
        """Calls counted so far, by place."""
        with self._lock:
            return list(self._calls.values())

    def uninstall(self) -> None:
        """Put the gc module's own functions back."""
        global _current
        self.disarm()
        for name in GUARDED:
            setattr(gc, name, getattr(rawgc, name))
        if _current is self:
            _current = None

    def replace_functions(self) -> None:
        for name in GUARDED:
            setattr(gc, name, self._stand_in(name))

    def _stand_in(self, name: str) -> Callable[..., Any]:
        original: Callable[..., Any] = getattr(rawgc, name)
        is_collect = name == "collect"

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            if not self._armed:
                return original(*args, **kwargs)
            held = self.mode == "hold" and undoes(self.policy_name, name, args)
            self._count(name, sys._getframe(1), held)
            if held:
                return _IDLE_RESULT.get(name)
            if not is_collect:
                return original(*args, **kwargs)
            self._passing_collect += 1
            try:
                return original(*args, **kwargs)
            finally:
                self._passing_collect -= 1

        stand_in.__name__ = name
        stand_in.__qualname__ = name
        stand_in.__module__ = "gc"
        stand_in.__doc__ = original.__doc__
        stand_in.__wrapped__ = original  # type: ignore[attr-defined]
        return stand_in

    def _count(self, function: str, frame: FrameType | None, held: bool) -> None:
        if self.is_leaving:
            return
        package, file, line = _place(frame)
        key = (function, file, line)
        with self._lock:
            known = self._calls.get(key)
            if known is None:
                call = GuardCall(function, package, file, line, held)
            else:
                call = replace(known, held=held, count=known.count + 1)
            self._calls[key] = call
            if self._slot is not None:
                word = scoreboard.GUARD_HELD if held else scoreboard.GUARD_REPORTED
                self._slot.words[word] += 1
        if known is None and self._on_call is not None:
            try:
                self._on_call(call)
            except Exception as error:
                # The library that called gc must not fail because a report did.
                print(f"cowherd: the guard's report failed: {error}", file=sys.stderr)

    def _collection_started(self, generation: int) -> None:
        """A collection starts that neither our collector nor a counted gc.collect() started."""
        rung = RUNGS.get(self.policy_name)
        if self._passing_collect or rung is None or not rung.guard_holds:
            return
        hold = self.mode == "hold"
        automatic = rawgc.get_threshold()[0] != 0
        if automatic and hold:
            rawgc.set_threshold(0)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and _is_ours(frame):
            frame = frame.f_back
        self._count("collection", frame, held=automatic and hold)


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("cowherd_agent.")


def _place(frame: FrameType | None) -> tuple[str, str, int]:
    if frame is None:
        return "?", "?", 0
    module = frame.f_globals.get("__name__")
    package = module.partition(".")[0] if isinstance(module, str) and module else "?"
    return package, frame.f_code.co_filename, frame.f_lineno or 0


_current: Guard | None = None


def process_leaves() -> None:
    """Note that this process runs its last hooks. Their calls are not worth reporting: the standard
    library itself switches the collector off and on there (Lib/weakref.py, finalize._exitfunc)."""
    if _current is not None:
        _current.is_leaving = True


def install(
    mode: GuardMode,
    policy_name: str,
    on_call: OnCall | None = None,
    slot: SlotLike | None = None,
    *,
    armed: bool = True,
) -> Guard:
    """Stand in for the gc module's functions.

    With `armed=False`, as in a mold, calls go through uncounted until `Guard.arm` is called. In
    mode `off` nothing is replaced. A previously installed guard is removed.
    """
    global _current
    if _current is not None:
        _current.uninstall()
    guard = Guard(mode, policy_name)
    if mode != "off":
        guard.replace_functions()
        _current = guard
    if armed:
        guard.arm(on_call=on_call, slot=slot)
    return guard
