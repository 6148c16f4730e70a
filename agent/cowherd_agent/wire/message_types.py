"""The types of each message to the supervisor, for type checkers only. Made by scripts/tables.ts.

The source is src/agent/messages.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import NotRequired

    from cowherd_agent.wire.command_types import Remark
    from cowherd_agent.wire.settings_types import Settings


class MoldConfigured(TypedDict):
    type: Literal["configured"]
    settings: Settings
    python_version: str
    gunicorn_version: str
    executable: str
    remarks: list[Remark]


class MoldProgress(TypedDict):
    type: Literal["progress"]
    phase: str
    text: str
    done: float
    total: NotRequired[float]
    seconds: float
    final: bool


class MoldReady(TypedDict):
    type: Literal["mold_ready"]
    policy: str
    asked_policy: str
    remarks: list[Remark]
    report: dict[str, Any]
    modules: int
    threads: NotRequired[int]


class MoldFailed(TypedDict):
    type: Literal["mold_failed"]
    code: str
    detail: str


class MoldFinished(TypedDict):
    type: Literal["mold_finished"]
    status: int
    daemonize: bool


class MoldPolicyRejected(TypedDict):
    type: Literal["policy_rejected"]
    policy: str
    reason: str


class Notice(TypedDict):
    type: Literal["notice"]
    level: Literal["info", "warning"]
    text: str


class MoldForkFailed(TypedDict):
    type: Literal["fork_failed"]
    slot: int
    reason: str


class WorkerReady(TypedDict):
    type: Literal["worker_ready"]


class WorkerRetired(TypedDict):
    type: Literal["retired"]
    requests_finished: int


class WorkerRetireRefused(TypedDict):
    type: Literal["retire_refused"]
    reason: str


class WorkerFailed(TypedDict):
    type: Literal["worker_failed"]
    code: str
    detail: str


class WorkerGuard(TypedDict):
    type: Literal["guard"]
    function: str
    package: str
    file: str
    line: int
    held: bool


class WorkerInFlightRequests(TypedDict):
    method: str
    path: str
    seconds: float | None


class WorkerInFlight(TypedDict):
    type: Literal["in_flight"]
    requests: list[WorkerInFlightRequests]
    response_errors: int


class KeeperReady(TypedDict):
    type: Literal["keeper_ready"]
    protocol: int
    pid: int
    executable: str
    python_version: str
    implementation: str
    free_threaded: bool
    adoption_problem: NotRequired[str | None]


class KeeperFailed(TypedDict):
    type: Literal["keeper_failed"]
    code: str
    detail: str


class KeeperMoldStarted(TypedDict):
    type: Literal["mold_started"]
    generation: int
    pid: int


class KeeperListening(TypedDict):
    type: Literal["listening"]
    generation: int
    listeners: list[str]


class KeeperListenFailed(TypedDict):
    type: Literal["listen_failed"]
    generation: int
    code: Literal["ADDRESS_IN_USE", "ADDRESS_UNAVAILABLE"]
    address: str
    reason: str


class KeeperProcessExitedCounters(TypedDict):
    requests_started: float
    requests_finished: float
    response_errors: float
    row: NotRequired[list[float]]


class KeeperProcessExited(TypedDict):
    type: Literal["process_exited"]
    pid: int
    exit_status: int | None
    signal: int | None
    minor_faults: int
    major_faults: int
    cpu_seconds: float
    counters: KeeperProcessExitedCounters | None


class KeeperFromMold(TypedDict):
    type: Literal["from_mold"]
    generation: int
    message: MoldMessage


class KeeperWorkerForked(TypedDict):
    type: Literal["worker_forked"]
    generation: int
    slot: int
    pid: int
    forked_monotonic_ns: float
    scoreboard: int


class KeeperFromWorker(TypedDict):
    type: Literal["from_worker"]
    generation: int
    pid: int
    message: WorkerMessage


class KeeperBadMessage(TypedDict):
    type: Literal["bad_message"]
    pid: int | None
    generation: int
    reason: str


class KeeperCommandFailed(TypedDict):
    type: Literal["command_failed"]
    command: str
    generation: int | None
    reason: str


class KeeperSignalFailed(TypedDict):
    type: Literal["signal_failed"]
    pid: int
    signal: int


class KeeperPulseQueues(TypedDict):
    name: str
    waiting: int
    most: int
    descriptor: NotRequired[int]


class KeeperPulse(TypedDict):
    type: Literal["pulse"]
    queues: list[KeeperPulseQueues]


class KeeperLeaving(TypedDict):
    type: Literal["keeper_leaving"]


class KeeperBorrowed(TypedDict):
    type: Literal["borrowed"]
    pid: int
    protocol: int


class KeeperBorrowFailed(TypedDict):
    type: Literal["borrow_failed"]
    code: str
    detail: str


class KeeperTakenOver(TypedDict):
    type: Literal["taken_over"]
    adoption_problem: str | None


class KeeperLenderGone(TypedDict):
    type: Literal["lender_gone"]


class KeeperInventoryMolds(TypedDict):
    generation: int
    pid: int
    configured: MoldConfigured | None
    ready: MoldReady | None
    has_listeners: bool
    forking: list[int]


class KeeperInventoryWorkers(TypedDict):
    pid: int
    slot: int
    generation: int
    forked_monotonic_ns: float
    scoreboard: int


class KeeperInventoryListeners(TypedDict):
    generation: int
    names: list[str]


class KeeperInventory(TypedDict):
    type: Literal["inventory"]
    protocol: int
    pid: int
    executable: str
    python_version: str
    molds: list[KeeperInventoryMolds]
    workers: list[KeeperInventoryWorkers]
    listeners: list[KeeperInventoryListeners]
    endings: list[KeeperProcessExited]
    unheard: list[Any]


class KeeperLooked(TypedDict):
    type: Literal["looked"]
    protocol: int
    pid: int
    supervised: bool
    draining: bool
    lends: NotRequired[bool]
    molds: list[int]
    workers: list[int]


class KeeperRefused(TypedDict):
    type: Literal["refused"]
    code: str
    detail: str


MoldMessage: TypeAlias = Union[
    "MoldConfigured",
    "MoldProgress",
    "MoldReady",
    "MoldFailed",
    "MoldFinished",
    "MoldPolicyRejected",
    "Notice",
    "MoldForkFailed",
]

WorkerMessage: TypeAlias = Union[
    "WorkerReady",
    "WorkerRetired",
    "WorkerRetireRefused",
    "WorkerFailed",
    "Notice",
    "WorkerGuard",
    "WorkerInFlight",
]

KeeperMessage: TypeAlias = Union[
    "KeeperReady",
    "KeeperFailed",
    "KeeperMoldStarted",
    "KeeperListening",
    "KeeperListenFailed",
    "KeeperProcessExited",
    "KeeperFromMold",
    "KeeperWorkerForked",
    "KeeperFromWorker",
    "KeeperBadMessage",
    "KeeperCommandFailed",
    "KeeperSignalFailed",
    "KeeperPulse",
    "KeeperLeaving",
    "KeeperBorrowed",
    "KeeperBorrowFailed",
    "KeeperTakenOver",
    "KeeperLenderGone",
    "KeeperInventory",
    "KeeperLooked",
    "KeeperRefused",
]
