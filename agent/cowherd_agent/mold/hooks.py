"""Runs gunicorn's server hooks, some of which must succeed."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable

from cowherd_agent.failures import MoldFailure
from cowherd_agent.places import PACKAGE_FOLDER


def run_hook(name: str, hook: Callable[..., object], *arguments: object) -> None:
    """Calls a hook that the herd can't start without, as gunicorn does. Raises MoldFailure."""
    try:
        hook(*arguments)
    except Exception as error:
        print_own_traceback(error)
        raise MoldFailure("HOOK_FAILED", f"{name}: {type(error).__name__}: {error}") from error


def print_own_traceback(error: BaseException) -> None:
    """Prints the app's own part of a traceback, without the leading frames of Cowherd, gunicorn and
    the import machinery."""
    import gunicorn

    own_folders = (
        PACKAGE_FOLDER,
        os.path.dirname(os.path.abspath(gunicorn.__file__)),
        "<frozen importlib",
        os.path.dirname(os.path.abspath(os.__file__)) + os.sep + "importlib",
    )
    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename.startswith(own_folders):
        first = first.tb_next
    # The supervisor gets the failure itself, even if stderr can't be written to.
    with contextlib.suppress(OSError, ValueError):
        if first is None:
            # Nothing of the app ran: a missing module, say.
            lines = traceback.format_exception_only(error)
        else:
            lines = traceback.format_exception(type(error), error, first)
        # In one piece: the supervisor writes to the same file.
        sys.stderr.write("".join(lines))
        sys.stderr.flush()


def is_own_fault(error: BaseException) -> bool:
    """Whether an exception was raised by Cowherd's own code, and not by code that it called.

    Frames of the standard library are skipped: an error raised there is the caller's fault.
    """
    library = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
    is_own = False
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        is_of_library = path.startswith("<frozen") or (
            path.startswith(library) and "site-packages" not in path
        )
        if not is_of_library:
            is_own = path.startswith(PACKAGE_FOLDER)
        trace = trace.tb_next
    return is_own
