"""The types of addresses and settings, for type checkers only. Made by scripts/tables.ts.

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


class SettingsGauges(TypedDict):
    workers: bool
    backlog: bool


class SettingsControlSocket(TypedDict):
    path: str
    mode: int
    is_chosen: bool
    is_tls: bool
    config: dict[str, Any]


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
    gauges: NotRequired[SettingsGauges]
    control_socket: NotRequired[SettingsControlSocket | None]
    max_requests: int
    max_requests_jitter: int
    heap_policy: str
    warmup: list[str]
    gc_guard: str
    sampling_budget_percent: float
    metrics: NotRequired[str | None]
    metrics_token_file: NotRequired[str | None]
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


Address: TypeAlias = Union[
    "TcpAddress",
    "UnixAddress",
    "FdAddress",
]
