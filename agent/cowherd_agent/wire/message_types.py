"""The type of each message, for type checkers only. Made by scripts/tables.ts.

The source is src/agent/messages.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import NotRequired


class TcpAddress(TypedDict):
    kind: Literal["tcp"]
    host: str
    port: int


class UnixAddress(TypedDict):
    kind: Literal["unix"]
    path: str


class FdAddress(TypedDict):
    kind: Literal["fd"]
    descriptor: int


class SettingsSyslog(TypedDict):
    path: str | None
    host: str | None
    port: int | None
    kind: Literal["dgram", "stream"] | None
    facility: int
    prefix: str


class Settings(TypedDict):
    app: str
    proc_name: str
    chdir: str
    addresses: list[Address]
    backlog: int
    reuse_port: bool
    umask: int
    uid: int
    gid: int
    workers: int
    threads: int
    worker_class: str
    timeout_seconds: float
    graceful_timeout_seconds: float
    pidfile: str | None
    daemon: bool
    reload: bool
    log_level: str
    errorlog: str
    syslog: NotRequired[SettingsSyslog | None]
    max_requests: int
    max_requests_jitter: int
    heap_policy: str
    warmup: list[str]
    gc_guard: str
    sampling_budget_percent: float
    boot_timeout_seconds: float
    refork_after: list[int]
    refork_by_benefit: bool
    exit_when_hopeless: bool
    heal: bool
    recycle_private_bytes: int
    recycle_pss_bytes: int
    recycle_rss_bytes: int
    recycle_samples: int
    recycle_age_seconds: float
    recycle_age_jitter_seconds: float
    herd_memory: Literal["off", "auto"] | int


class Remark(TypedDict):
    policy: str
    reason: str


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


class MoldCensusWritten(TypedDict):
    type: Literal["census_written"]
    objects: int
    seconds: float


class MoldCensusFailed(TypedDict):
    type: Literal["census_failed"]
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
    door_problem: NotRequired[str | None]


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
    door_problem: str | None


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


class MoldCensusCommand(TypedDict):
    type: Literal["census"]


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
    door: str


class TakeOverCommand(TypedDict):
    type: Literal["take_over"]


class ExitCommand(TypedDict):
    type: Literal["exit"]


class DoorAdoptCommand(TypedDict):
    type: Literal["adopt"]
    protocol: int


class DoorLookCommand(TypedDict):
    type: Literal["look"]
    protocol: int


class DoorDrainCommand(TypedDict):
    type: Literal["drain"]
    protocol: int
    quick: bool


Address: TypeAlias = Union[
    "TcpAddress",
    "UnixAddress",
    "FdAddress",
]

MoldMessage: TypeAlias = Union[
    "MoldConfigured",
    "MoldProgress",
    "MoldReady",
    "MoldFailed",
    "MoldFinished",
    "MoldPolicyRejected",
    "Notice",
    "MoldForkFailed",
    "MoldCensusWritten",
    "MoldCensusFailed",
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

MoldCommand: TypeAlias = Union[
    "MoldForkCommand",
    "MoldWorkerExitedCommand",
    "MoldWorkersWantedCommand",
    "MoldWorkerRetiredCommand",
    "MoldReopenLogsCommand",
    "MoldCensusCommand",
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

DoorCommand: TypeAlias = Union[
    "DoorAdoptCommand",
    "DoorLookCommand",
    "DoorDrainCommand",
]
