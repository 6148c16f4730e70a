"""Every message that Cowherd's Python processes send or understand, in one typed file.

The other side is ``src/agent/messages.ts``; a test compares the two. Between supervisor and
keeper a message is one line of JSON on a stream socket; between the keeper and each mold, and
the keeper and each worker, it is one packet of a SEQPACKET socket that only these two have.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

PROTOCOL_VERSION = 2

# A packet must fit the default send buffer of a Unix socket (net.core.wmem_default, 208 KiB).
LARGEST_PACKET_BYTES = 128 * 1024

Message = dict[str, Any]


class Address(TypedDict, total=False):
    """Where to listen: a TCP host and port, the path of a Unix socket, or the descriptor of a
    socket that the supervisor was started with."""

    kind: Literal["tcp", "unix", "fd"]
    host: str
    port: int
    path: str
    descriptor: int


# Spoken by the keeper to the supervisor.
KEEPER_MESSAGES = frozenset(
    {
        "keeper_ready",
        "keeper_failed",
        "mold_started",
        "listening",
        "listen_failed",
        "process_exited",
        "from_mold",
        "worker_forked",
        "from_worker",
        "bad_message",
        "command_failed",
        "signal_failed",
        "pulse",
        "keeper_leaving",
        # Of the listeners of another herd, whose place this one takes.
        "borrowed",
        "borrow_failed",
        "taken_over",
        "lender_gone",
        # At its door.
        "inventory",
        "looked",
        "refused",
    }
)

# Spoken by the supervisor to the keeper.
KEEPER_COMMANDS = frozenset(
    {
        "start_mold",
        "adopt_mold",
        "listen",
        "give_listeners",
        "keep_listeners",
        "turn_away",
        "to_mold",
        "signal",
        "set_background",
        "pulse",
        "notify",
        "borrow",
        "take_over",
        "exit",
        # At its door.
        "adopt",
        "look",
        "drain",
    }
)

# Spoken by two keepers, at the door of one; the same in every protocol version (lending.py).
LOAN_MESSAGES = frozenset({"lend", "lent", "give_way", "taken_back"})

# Spoken by a mold. The keeper relays all of them but `forked`, which it makes `worker_forked` of.
MOLD_MESSAGES = frozenset(
    {
        "configured",
        "progress",
        "mold_ready",
        "mold_failed",
        "mold_finished",
        "policy_rejected",
        "notice",
        "forked",
        "fork_failed",
        "census_written",
        "census_failed",
    }
)

# Spoken by a worker, and relayed by the keeper, which knows its pid; but for `born`, the first one,
# by which it knows it.
WORKER_MESSAGES = frozenset(
    {
        "born",
        "worker_ready",
        "worker_failed",
        "retired",
        "retire_refused",
        "guard",
        "in_flight",
        "notice",
    }
)

# Spoken by the supervisor to a mold, through the keeper; ``order`` is the first.
MOLD_COMMANDS = frozenset(
    {
        "order",
        "fork",
        "worker_exited",
        "worker_retired",
        "workers_wanted",
        "listeners",
        "reopen_logs",
        "census",
        "merge_memory",
        "pause_threads",
        "resume_threads",
        "exit",
    }
)
