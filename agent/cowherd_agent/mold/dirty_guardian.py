"""The guardian: the parent of gunicorn's dirty arbiter (dirty_arbiter.py has the whole).

It starts the arbiter again when that one dies, at the same socket, so that workers find it; it ends
it with the last process of its mold's family, and leaves no process and no file. If the guardian
itself is killed, gunicorn's arbiter notices that its parent has changed, and ends by itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent.leaving.leaving import leave
from cowherd_agent.worker import process_name

if TYPE_CHECKING:
    from cowherd_agent.mold.arbiter import MoldArbiter

NAME = "cowherd-dirty"

# What the mold writes into the lifeline.
REOPEN_LOGS = b"r"

# How long tasks may take that are under way when nobody is left to hear of them, within the setting
# dirty_graceful_timeout.
_GRACE_SECONDS = 3.0

# As often as gunicorn's own arbiter looks for one that has ended.
_PAUSE_SECONDS = 1.0


def guard(mold_arbiter: MoldArbiter, lifeline: int, ending: int) -> NoReturn:
    """Says in ``ending`` where the arbiter is, and stays until the lifeline ends."""
    # Whoever presses Ctrl-C in a terminal means the supervisor.
    os.setsid()
    process_name.set_title(NAME, f"dirty [{mold_arbiter.cfg.proc_name}]")
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(ignored, signal.SIG_IGN)
    guardian = Guardian(mold_arbiter.cfg, mold_arbiter.log, lifeline, ending)
    try:
        guardian.start()
        where = os.path.join(guardian.folder, "arbiter.sock")
        os.write(ending, f"ready {os.getpid()} {where}\n".encode())
        while not guardian.turn():
            pass
        os.write(ending, b"e")
        guardian.end()
    finally:
        shutil.rmtree(guardian.folder, ignore_errors=True)
    os._exit(0)


class Guardian:
    """One dirty arbiter after the other.

    Attributes:
        folder: has the sockets of the arbiter and of its workers.
    """

    def __init__(self, cfg: Any, log: Any, lifeline: int, ending: int) -> None:
        self._cfg = cfg
        self._log = log
        self._lifeline = lifeline
        self._ending = ending
        self._pid = 0
        self._ended = -1
        self._become_user()
        self.folder = os.path.abspath(tempfile.mkdtemp(prefix="cowherd-dirty-"))

    def start(self) -> None:
        """Raises whatever gunicorn's arbiter finds wrong with the settings."""
        from gunicorn.dirty import DirtyArbiter

        with contextlib.suppress(FileExistsError):
            # The last arbiter has removed it.
            os.mkdir(self.folder, 0o700)
        path = os.path.join(self.folder, "arbiter.sock")
        arbiter = DirtyArbiter(self._cfg, self._log, socket_path=path)
        os.rmdir(arbiter.tmpdir)
        arbiter.tmpdir = self.folder
        self._pid = os.fork()
        if self._pid == 0:
            self._be_arbiter(arbiter)
        self._ended = os.pidfd_open(self._pid)
        self._log.info("Spawned dirty arbiter (pid: %s) at %s", self._pid, path)

    def turn(self) -> bool:
        """Waits for what happens next, and reacts; true when the lifeline has ended."""
        look = poll()
        look.register(self._lifeline, POLLIN)
        if self._ended != -1:
            look.register(self._ended, POLLIN)
        found = [descriptor for descriptor, _ in look.poll()]
        if self._lifeline in found and self._has_ended():
            return True
        if self._ended in found:
            self._reap()
            return self._start_again()
        return False

    def end(self) -> None:
        """Ends the arbiter: by its own means, and otherwise by force."""
        if self._ended == -1:
            return
        cfg = self._cfg
        os.kill(self._pid, signal.SIGTERM)
        look = poll()
        look.register(self._ended, POLLIN)
        if not look.poll(min(_GRACE_SECONDS, cfg.dirty_graceful_timeout) * 1000):
            os.kill(self._pid, signal.SIGKILL)
        self._reap()

    def _become_user(self) -> None:
        """gunicorn's arbiter stays root, whose sockets its own workers can't use then."""
        # Now, because this user may not read the interpreter's files: as a worker's own imports.
        import concurrent.futures.thread  # noqa: F401

        import gunicorn.dirty  # noqa: F401
        from gunicorn import util

        util.set_owner_process(self._cfg.uid, self._cfg.gid, initgroups=self._cfg.initgroups)
        # gunicorn's own dirty workers would switch once more, without the right to.
        self._cfg.set("initgroups", False)
        self._cfg.set("user", os.getuid())
        self._cfg.set("group", os.getgid())

    def _be_arbiter(self, arbiter: Any) -> NoReturn:
        os.close(self._lifeline)
        os.close(self._ending)
        # A group of its own, with its workers.
        os.setpgid(0, 0)
        try:
            arbiter.run()
        except Exception:
            self._log.exception("Exception in dirty arbiter process")
            leave(1)
        leave(0)

    def _has_ended(self) -> bool:
        data = os.read(self._lifeline, 4096)
        if REOPEN_LOGS in data:
            self._log.reopen_files()
            if self._ended != -1:
                os.kill(self._pid, signal.SIGUSR1)
        return data == b""

    def _reap(self) -> None:
        """The arbiter has ended, or is about to. Its workers do not notice, so they are killed."""
        _, status = os.waitpid(self._pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.close(self._ended)
        self._ended = -1
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            self._log.warning("Dirty arbiter (pid:%s) killed by signal %s", self._pid, -code)
        elif code > 0:
            self._log.error("Dirty arbiter (pid:%s) exited with code %s", self._pid, code)

    def _start_again(self) -> bool:
        look = poll()
        look.register(self._lifeline, POLLIN)
        if look.poll(_PAUSE_SECONDS * 1000) and self._has_ended():
            return True
        self._log.info("Spawning dirty arbiter...")
        self.start()
        return False
