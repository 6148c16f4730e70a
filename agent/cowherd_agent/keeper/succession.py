"""Two herds, one of which takes the other's place: this keeper's side, as lender or as borrower.

lending.py says which messages two keepers exchange.
"""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable

from cowherd_agent.keeper import borrowing, lending
from cowherd_agent.keeper.adoption_socket import AdoptionSocket
from cowherd_agent.keeper.borrowing import BorrowError
from cowherd_agent.keeper.herd_processes import HerdProcesses
from cowherd_agent.keeper.lending import Loan
from cowherd_agent.keeper.listener_table import ListenerTable
from cowherd_agent.keeper.supervisor_connection import SupervisorConnection
from cowherd_agent.wire.messages import PROTOCOL_VERSION


class Succession:
    """``on_giving_way`` begins the end of this herd.

    Attributes:
        adoption_socket: where others find this keeper; the lender's, once something was borrowed.
        loan: what the keeper of another herd has of this one.
    """

    def __init__(
        self,
        adoption_socket: AdoptionSocket,
        poll: select.poll,
        supervisor: SupervisorConnection,
        processes: HerdProcesses,
        listeners: ListenerTable,
        on_giving_way: Callable[[], None],
    ) -> None:
        self.adoption_socket = adoption_socket
        self.loan: Loan | None = None
        self._poll = poll
        self._supervisor = supervisor
        self._processes = processes
        self._listeners = listeners
        self._on_giving_way = on_giving_way

    def knows(self, descriptor: int) -> bool:
        """Whether it is the borrower's or the lender's."""
        parties = (self.loan, self._listeners.borrowed)
        return any(each is not None and each.fileno() == descriptor for each in parties)

    def read(self, descriptor: int) -> None:
        """Hears the borrower or the lender."""
        if self.loan is not None and self.loan.fileno() == descriptor:
            self._read_borrower(self.loan)
        else:
            self._read_lender()

    # As the lender

    def lend(self, descriptor: int) -> str | None:
        """Lends the listeners to this visitor. Says why not to one who is not trusted."""
        if not lending.is_trusted(self.adoption_socket.connection_of(descriptor)):
            return "it lends to root and to its own user only"
        self.loan = Loan(self.adoption_socket.let_stay(descriptor))
        # The other herd's mold loads the same application, whose jobs would be done twice.
        self._processes.to_molds_with_threads({"type": "pause_threads"})
        with contextlib.suppress(OSError):
            self.loan.lend(self._listeners.by_address(), PROTOCOL_VERSION)
        return None

    def _read_borrower(self, loan: Loan) -> None:
        messages = loan.read()
        for message in messages or ():
            if message["type"] == "give_way" and not loan.is_given_way:
                loan.is_given_way = True
                self._listeners.turn_away(but=lending.addresses_kept(message))
                self._let_go()
                self._on_giving_way()
        if messages is None:
            self._poll.unregister(loan.fileno())
            loan.take_back()
            if not loan.is_given_way:
                self.loan = None
                self._processes.to_molds_with_threads({"type": "resume_threads"})

    def _let_go(self) -> None:
        """Files and the runtime directory are the borrower's."""
        self._listeners.disown()
        self.adoption_socket.abandon()

    # As the borrower

    def borrow(self, socket_path: str) -> None:
        """Borrows the listeners of the keeper at this socket, which will be this keeper's own."""
        try:
            borrowed = borrowing.borrow(socket_path)
        except BorrowError as error:
            self._tell_failed(error.code, error.detail)
            return
        self._listeners.borrowed = borrowed
        self.adoption_socket = AdoptionSocket(socket_path, self._poll)
        self._poll.register(borrowed.fileno(), select.POLLIN)
        self._supervisor.send(
            {"type": "borrowed", "pid": borrowed.pid, "protocol": borrowed.protocol}
        )

    def take_over(self) -> None:
        """This herd serves: the other one is to end."""
        if self._listeners.borrowed is not None:
            self._listeners.borrowed.take_over(self._listeners.all())
        problem = None if self.adoption_socket.is_open else self.adoption_socket.open()
        self._supervisor.send({"type": "taken_over", "adoption_problem": problem})

    def _read_lender(self) -> None:
        borrowed = self._listeners.borrowed
        if borrowed is None:
            return
        heard = borrowed.hear()
        if heard == "gone":
            self._lose_lender()
        elif heard == "taken_back":
            self._poll.unregister(borrowed.fileno())
            borrowed.close()
            self._tell_failed("INTERNAL", "the lender has taken its listeners back")

    def _lose_lender(self) -> None:
        borrowed = self._listeners.borrowed
        if borrowed is None:
            return
        self._poll.unregister(borrowed.fileno())
        borrowed.lender_has_left()
        if not self.adoption_socket.is_open:
            self.adoption_socket.open()
        self._supervisor.send({"type": "lender_gone"})

    def _tell_failed(self, code: str, detail: str) -> None:
        self._supervisor.send({"type": "borrow_failed", "code": code, "detail": detail})

    # As either

    def leave(self) -> None:
        """This keeper leaves: whose is what there is?"""
        if self.loan is not None and self.loan.leave():
            self._let_go()
        borrowed = self._listeners.borrowed
        if borrowed is not None:
            if borrowed.leave():
                self._lose_lender()
            borrowed.close_listeners()
