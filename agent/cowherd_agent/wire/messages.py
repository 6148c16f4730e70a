"""Messages of Cowherd's Python processes.

message_types.py and command_types.py have the types of the messages to and from the supervisor,
made from src/agent/messages.ts; type checkers alone read them. This file has the messages that stay
between Python processes. Between supervisor and keeper a message is one line of JSON on a stream
socket; between the keeper and each mold, and the keeper and each worker, it is one packet of a
SEQPACKET socket that only these two have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    from cowherd_agent.wire.command_types import MoldCommand, MoldOrder
    from cowherd_agent.wire.message_types import MoldMessage, WorkerMessage

    class Order(MoldOrder):
        """The keeper to a mold, before all else."""

        type: Literal["order"]


PROTOCOL_VERSION = 3

# A packet must fit the default send buffer of a Unix socket (net.core.wmem_default, 208 KiB).
LARGEST_PACKET_BYTES = 128 * 1024

# A message that has not been judged yet.
Message = dict[str, Any]


class Forked(TypedDict):
    """A mold to the keeper, with the worker's channel and its row: `worker_forked` follows."""

    type: Literal["forked"]
    slot: int
    pid: int
    age: int
    forked_monotonic_ns: int


class Born(TypedDict):
    """A worker's first words, by which the keeper knows its pid."""

    type: Literal["born"]


class Listeners(TypedDict):
    """The keeper to a mold, with the listeners' descriptors in their order."""

    type: Literal["listeners"]
    families: list[str]
    inherited: list[bool]


ToMold: TypeAlias = Union["MoldCommand", Listeners]
FromMold: TypeAlias = Union["MoldMessage", Forked]
FromWorker: TypeAlias = Union["WorkerMessage", Born]

# Said by two keepers at the adoption socket of one (lending.py); the same in every version.
LOAN_MESSAGES = frozenset({"lend", "lent", "give_way", "taken_back"})
