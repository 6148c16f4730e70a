"""The process's atexit hooks: running them, listing them, forgetting some of them.

The atexit module can't list its hooks, but `atexit.unregister(f)` compares every hook with `f` and
removes equal ones (Modules/atexitmodule.c, 3.10 to 3.15). An object whose `__eq__` takes notes sees
them all, in the order of their registration or its reverse.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Callable


def run() -> None:
    """Runs all hooks, the last registered first. The interpreter prints what they raise."""
    # 3.10 and 3.11 raise a hook's last exception after having printed it.
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()


class _Notes:
    """Equal to no hook, or to those at the positions to remove; notes what it is compared with."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, take_out: frozenset[int] = frozenset()) -> None:
        self.seen: list[object] = []
        self._take_out = take_out

    def __eq__(self, hook: object) -> bool:
        position = len(self.seen)
        self.seen.append(hook)
        return position in self._take_out


def registered() -> list[object]:
    """The functions registered with atexit, oldest first; duplicates appear as often."""

    def newest() -> None:
        """A hook that does nothing, to tell the order."""

    atexit.register(newest)
    notes = _Notes()
    atexit.unregister(notes)  # type: ignore[arg-type]
    atexit.unregister(newest)
    hooks = notes.seen
    if hooks and hooks[0] is newest:
        hooks.reverse()
    return [hook for hook in hooks if hook is not newest]


def forget_since(hook: Callable[[], None]) -> None:
    """Unregister `hook` and all hooks that were registered after it."""
    oldest_first = registered()
    if hook not in oldest_first:
        return
    first = oldest_first.index(hook)
    probe = _Notes()
    atexit.unregister(probe)  # type: ignore[arg-type]
    count = len(probe.seen)
    is_oldest_first = count == 0 or probe.seen[0] is oldest_first[0]
    positions = range(first, count) if is_oldest_first else range(count - first)
    atexit.unregister(_Notes(frozenset(positions)))  # type: ignore[arg-type]
