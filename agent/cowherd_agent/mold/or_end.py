"""The boundary of a mold's errors: a failure is reported to the supervisor, and ends the mold."""

from __future__ import annotations

import contextlib
import gc
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TypeVar

from cowherd_agent.failures import MoldFailure
from cowherd_agent.leaving.leaving import leave
from cowherd_agent.mold.hooks import is_own_fault
from cowherd_agent.mold.supervisor_link import SupervisorLink

Result = TypeVar("Result")


class GoesToBackground(SystemExit):
    """The settings ask for a background process, which starts from the beginning."""


def _nothing() -> None:
    pass


def or_end(
    link: SupervisorLink,
    occasion: str,
    work: Callable[[], Result],
    before_leaving: Callable[[], None] = _nothing,
) -> Result:
    """Runs `work` and returns its result; on an error, reports it and exits.

    ``occasion`` is the order's: except in a refork, SystemExit (``--help`` and the like) is no
    failure.
    """
    try:
        return work()
    except MoldFailure as failure:
        _fail(link, before_leaving, failure.code, failure.detail)
    except SystemExit as finished:
        if occasion == "refork":
            _fail(
                link, before_leaving, "MOLD_DIED", f"something called sys.exit({finished.code!r})"
            )
        # --help, --version, --print-config and --check-config have printed their output.
        sys.stdout.flush()
        status = finished.code if isinstance(finished.code, int) else 0
        daemonize = isinstance(finished, GoesToBackground)
        link.send({"type": "mold_finished", "status": status, "daemonize": daemonize})
        before_leaving()
        leave(status)
    except MemoryError:
        gc.collect()
        _fail(
            link, before_leaving, "MOLD_OUT_OF_MEMORY", "ran out of memory while preparing the mold"
        )
    except Exception as error:
        # The supervisor must hear of the failure even if stderr can't be written to.
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exc()
        code = "INTERNAL" if is_own_fault(error) else "MOLD_DIED"
        _fail(link, before_leaving, code, f"{type(error).__name__}: {error}")


def _fail(
    link: SupervisorLink, before_leaving: Callable[[], None], code: str, detail: str
) -> NoReturn:
    link.send({"type": "mold_failed", "code": code, "detail": detail})
    before_leaving()
    leave(1)
