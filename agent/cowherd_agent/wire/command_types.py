"""The types of each command, for type checkers only. Made by scripts/tables.ts.

The source is src/agent/messages.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    from cowherd_agent.wire.settings_types import Address


class Remark(TypedDict):
    policy: str
    reason: str


class MoldForkCommand(TypedDict):
    type: Literal["fork"]
    slot: int


class MoldWorkerExitedCommand(TypedDict):
    type: Literal["worker_exited"]
    pid: int
    exit_status: int | None
    signal: int | None


class MoldWorkersWantedCommand(TypedDict):
    type: Literal["workers_wanted"]
    count: int


class MoldWorkerRetiredCommand(TypedDict):
    type: Literal["worker_retired"]
    pid: int


class MoldReopenLogsCommand(TypedDict):
    type: Literal["reopen_logs"]


class MoldGaugesCommand(TypedDict):
    type: Literal["gauges"]
    workers: int | None
    backlog: int | None


class MoldMergeMemoryCommand(TypedDict):
    type: Literal["merge_memory"]


class MoldPauseThreadsCommand(TypedDict):
    type: Literal["pause_threads"]


class MoldResumeThreadsCommand(TypedDict):
    type: Literal["resume_threads"]


class MoldExitCommand(TypedDict):
    type: Literal["exit"]
    final: bool


class MoldOrder(TypedDict):
    generation: int
    runtime_directory: str
    log_format: Literal["text", "json"]
    cwd: str
    daemonized: bool
    rejected_policies: list[Remark]
    occasion: Literal["first", "reload", "replacement", "refork"]


class StartMoldCommand(TypedDict):
    type: Literal["start_mold"]
    generation: int
    mold: MoldOrder
    python: str
    launcher: str
    arguments: list[str]
    environment: dict[str, str]


class ListenCommand(TypedDict):
    type: Literal["listen"]
    generation: int
    addresses: list[Address]
    backlog: int
    reuse_port: bool
    umask: int
    uid: int
    gid: int
    grace_seconds: float


class GiveListenersCommand(TypedDict):
    type: Literal["give_listeners"]
    generation: int


class KeepListenersCommand(TypedDict):
    type: Literal["keep_listeners"]
    generations: list[int]


class RemoveAtEndCommand(TypedDict):
    type: Literal["remove_at_end"]
    path: str
    inode: int


class TurnAwayCommand(TypedDict):
    type: Literal["turn_away"]


class AdoptMoldCommand(TypedDict):
    type: Literal["adopt_mold"]
    pid: int
    generation: int
    mold: MoldOrder


class ToMoldCommand(TypedDict):
    type: Literal["to_mold"]
    generation: int
    message: MoldCommand


class SignalCommand(TypedDict):
    type: Literal["signal"]
    pid: int
    signal: int


class SetBackgroundCommand(TypedDict):
    type: Literal["set_background"]
    pid: int
    background: bool


class PulseCommand(TypedDict):
    type: Literal["pulse"]


class NotifyCommand(TypedDict):
    type: Literal["notify"]
    address: str
    text: str


class BorrowCommand(TypedDict):
    type: Literal["borrow"]
    adoption_socket: str


class TakeOverCommand(TypedDict):
    type: Literal["take_over"]


class ExitCommand(TypedDict):
    type: Literal["exit"]


MoldCommand: TypeAlias = Union[
    "MoldForkCommand",
    "MoldWorkerExitedCommand",
    "MoldWorkersWantedCommand",
    "MoldWorkerRetiredCommand",
    "MoldReopenLogsCommand",
    "MoldGaugesCommand",
    "MoldMergeMemoryCommand",
    "MoldPauseThreadsCommand",
    "MoldResumeThreadsCommand",
    "MoldExitCommand",
]

KeeperCommand: TypeAlias = Union[
    "StartMoldCommand",
    "ListenCommand",
    "GiveListenersCommand",
    "KeepListenersCommand",
    "RemoveAtEndCommand",
    "TurnAwayCommand",
    "AdoptMoldCommand",
    "ToMoldCommand",
    "SignalCommand",
    "SetBackgroundCommand",
    "PulseCommand",
    "NotifyCommand",
    "BorrowCommand",
    "TakeOverCommand",
    "ExitCommand",
]
