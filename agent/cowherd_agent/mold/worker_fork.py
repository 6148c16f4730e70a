"""How a mold forks a worker: twice, so that the worker's parent is the keeper, which reaps it.

The worker gets its own channel to the keeper and its own row of the scoreboard. The other end of
the channel goes to the keeper with the mold's `forked`. By then the worker's first message is in
it, so the kernel tells the keeper whose channel it is.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from socket import socket

from cowherd_agent.wire import scoreboard
from cowherd_agent.wire.channel import Channel

# Room for '+' and a pid, or for '!' and an errno.
_ANSWER_BYTES = 32


@dataclass
class WorkerFork:
    """State of one fork; ``channel`` and ``row`` (a descriptor) are the worker's."""

    channel: Channel
    row: int
    _keepers_end: socket
    # From the worker to the mold: the worker exists.
    _reading: int
    _writing: int
    # From the mold to the intermediate process: the keeper knows of the worker.
    _gate: int
    _gate_opener: int
    _intermediate: int = 0

    @classmethod
    def prepare(cls) -> WorkerFork:
        """Raises OSError, and then closes whatever it has opened."""
        opened: list[int] = []
        try:
            row = scoreboard.make()
            opened.append(row)
            reading, writing = os.pipe()
            opened += (reading, writing)
            gate, gate_opener = os.pipe()
            opened += (gate, gate_opener)
            channel, keepers_end = Channel.pair()
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            raise
        return cls(channel, row, keepers_end, reading, writing, gate, gate_opener)

    @property
    def for_the_keeper(self) -> tuple[int, int]:
        """The descriptors that go with `forked`: the keeper's end of the channel, and the row."""
        return self._keepers_end.fileno(), self.row

    def run(self) -> int:
        """Returns 0 in the worker, and the worker's pid in the mold, which then tells the keeper
        and calls :meth:`finish`. Raises OSError in the mold, with everything closed."""
        try:
            self._intermediate = os.fork()
        except OSError:
            self._close_all()
            raise
        if self._intermediate == 0:
            return self._between()
        os.close(self._writing)
        os.close(self._gate)
        answer = os.read(self._reading, _ANSWER_BYTES)
        os.close(self._reading)
        if answer.startswith(b"+"):
            return int(answer[1:])
        os.close(self._gate_opener)
        os.waitpid(self._intermediate, 0)
        self._close_workers()
        if answer:
            raise OSError(int(answer[1:]), os.strerror(int(answer[1:])))
        raise OSError("the worker died as it was forked")

    def finish(self) -> None:
        """In the mold, once the keeper knows: lets the worker become the keeper's child."""
        os.write(self._gate_opener, b"+")
        os.close(self._gate_opener)
        os.waitpid(self._intermediate, 0)
        self._close_workers()

    def _between(self) -> int:
        """Returns in the worker; the intermediate process ends here."""
        try:
            pid = os.fork()
        except OSError as error:
            os.write(self._writing, b"!" + str(error.errno).encode())
            os._exit(1)
        if pid == 0:
            self._introduce_worker()
            return 0
        # So that the mold notices if the worker dies before it has reported.
        os.close(self._writing)
        os.close(self._gate_opener)
        # The worker is this process's child until it is announced, so the keeper hears of it before
        # it can run, or end.
        if not os.read(self._gate, 1):
            # The mold has died and nobody knows of the worker.
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def _introduce_worker(self) -> None:
        self._keepers_end.close()
        self.channel.send({"type": "born"})
        os.write(self._writing, b"+" + str(os.getpid()).encode())
        for descriptor in (self._reading, self._writing, self._gate, self._gate_opener):
            os.close(descriptor)

    def _close_workers(self) -> None:
        """Closes the descriptors that the worker and the keeper have now."""
        self.channel.close()
        self._keepers_end.close()
        os.close(self.row)

    def _close_all(self) -> None:
        for descriptor in (self._reading, self._writing, self._gate, self._gate_opener):
            os.close(descriptor)
        self._close_workers()
