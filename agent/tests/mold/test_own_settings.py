"""Cowherd's settings among gunicorn's, and the messages for mistyped ones."""

from __future__ import annotations

import os
import types
from typing import Any

import pytest
from cowherd_agent.mold import own_settings
from cowherd_agent.mold.gunicorn_settings import (
    CowherdConfig,
    explain_worker_class,
    mistyped_setting,
)
from cowherd_agent.mold.own_settings import TABLE, explain_usage_error
from gunicorn.config import Config

OURS = (
    *("heap_policy", "warmup", "health", "gc_guard", "collect_after", "allow_threads"),
    *("sampling_budget",),
    *("boot_timeout", "recycle_private", "recycle_pss", "recycle_rss", "recycle_samples"),
    *("recycle_age", "recycle_age_jitter", "herd_memory", "perf_names"),
)
MIB = 1024 * 1024


def parsed(*arguments: str) -> Config:
    """The configuration of a command line."""
    config = Config(prog="cowherd serve")
    options = config.parser().parse_args(arguments)
    for name, value in vars(options).items():
        if value is not None and name != "args":
            config.set(name.lower(), value)
    return config


def test_the_defaults() -> None:
    config = Config()
    assert {name: config.settings[name].get() for name in OURS} == {
        "heap_policy": "auto",
        "warmup": [],
        "health": None,
        "gc_guard": "hold",
        "collect_after": 10_000,
        "allow_threads": False,
        "sampling_budget": 1.0,
        "boot_timeout": 0,
        "recycle_private": 0,
        "recycle_pss": 0,
        "recycle_rss": 0,
        "recycle_samples": 3,
        "recycle_age": 0,
        "recycle_age_jitter": 0,
        "herd_memory": "off",
        "perf_names": False,
    }


def test_they_stand_on_the_command_line() -> None:
    config = parsed(
        *("--policy", "Freeze", "--warmup", "GET /", "--warmup", "GET /a b.example"),
        *("--gc-guard", "report", "--collect-after", "500", "--allow-threads"),
        *("--health", "GET /healthz"),
        *("--sampling-budget", "2.5", "--workers", "4"),
        *("--boot-timeout", "60", "--recycle-private", "200M", "--recycle-pss", "1.5G"),
        *("--recycle-rss", "4096", "--recycle-samples", "5", "--recycle-age", "3600"),
        *("--recycle-age-jitter", "600", "--herd-memory", "auto", "--perf-names"),
    )
    assert [config.settings[name].get() for name in OURS] == [
        "freeze",
        ["GET /", "GET /a b.example"],
        "GET /healthz",
        "report",
        500,
        True,
        2.5,
        *(60, 200 * MIB, 1536 * MIB, 4096, 5, 3600, 600, "auto", True),
    ]
    assert config.workers == 4
    assert parsed("--heap-policy", "stock").heap_policy == "stock"


@pytest.mark.parametrize("name", OURS)
def test_each_is_described_and_none_takes_an_option_of_gunicorns(name: str) -> None:
    setting = Config().settings[name]
    assert setting.section == "Cowherd"
    assert setting.short
    gunicorns = {
        option
        for other, each in Config().settings.items()
        if other not in OURS
        for option in each.cli or []
    }
    assert gunicorns.isdisjoint(setting.cli)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("heap_policy", "frozen", "heap_policy must be one of auto, immortal"),
        ("heap_policy", None, "must be one of"),
        ("gc_guard", "maybe", "gc_guard must be one of hold, report, off"),
        ("warmup", ["GET"], "a request reads"),
        ("warmup", [7], "a request reads"),
        ("warmup", 7, "warmup must be a list"),
        ("warmup", {"GET /": 1}, "warmup must be a list"),
        ("health", "healthz", "a request reads"),
        ("sampling_budget", "much", "must be a percentage"),
        ("sampling_budget", -1, "between 0 and 100"),
        ("sampling_budget", 101, "between 0 and 100"),
        ("sampling_budget", float("nan"), "between 0 and 100"),
        ("sampling_budget", None, "must be a percentage"),
        ("collect_after", -1, "-1"),
        ("collect_after", "some", "some"),
        ("allow_threads", "perhaps", "perhaps"),
        ("recycle_private", "much", "recycle_private must be a size"),
        ("recycle_pss", -1, "recycle_pss must be a size"),
        ("recycle_rss", "200 parsecs", "must be a size"),
        ("recycle_rss", True, "must be a size"),
        ("recycle_samples", 0, "at least 1"),
        ("herd_memory", "some", "herd_memory must be a size"),
        ("boot_timeout", -1, "-1"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: object, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        Config().set(name, value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("heap_policy", " IMMORTAL ", "immortal"),
        ("warmup", "GET /", ["GET /"]),
        ("warmup", ("GET /", "GET /b"), ["GET /", "GET /b"]),
        ("warmup", None, []),
        ("sampling_budget", "3", 3.0),
        ("sampling_budget", 0, 0.0),
        ("collect_after", "0", 0),
        ("allow_threads", "true", True),
        ("recycle_private", "200MiB", 200 * MIB),
        ("recycle_private", "200 mb", 200 * MIB),
        ("recycle_private", 12345, 12345),
        ("recycle_private", "0.5k", 512),
        ("herd_memory", "AUTO", "auto"),
        ("herd_memory", "4G", 4096 * MIB),
        ("herd_memory", 0, "off"),
    ],
)
def test_a_value_is_understood_in_every_form(name: str, value: object, expected: object) -> None:
    config = Config()
    config.set(name, value)
    assert config.settings[name].get() == expected


def test_every_policy_and_mode_can_be_chosen() -> None:
    choices = [row for row in TABLE if row["kind"] == "choice"]
    assert {row["name"] for row in choices} == {"heap_policy", "gc_guard"}
    for row in choices:
        for choice in row["choices"]:
            assert getattr(parsed(row["options"][0], choice), row["name"]) == choice


KNOWN = sorted(Config().settings)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("worker", "workers"),
        ("timout", "timeout"),
        ("Workers", "workers"),
        ("worker_clas", "worker_class"),
        ("heap_polcy", "heap_policy"),
        ("warm_up", "warmup"),
        ("gracefull_timeout", "graceful_timeout"),
        ("max_request", "max_requests"),
        ("post_forc", "post_fork"),
    ],
)
def test_a_mistyped_name_gets_the_nearest(name: str, nearest: str) -> None:
    assert mistyped_setting({name: 4}, KNOWN) == (name, nearest)


@pytest.mark.parametrize(
    "name", ["host", "port", "main", "settings_dir", "cpu_count", "env", "app"]
)
def test_a_name_of_the_files_own_is_none(name: str) -> None:
    assert mistyped_setting({name: 4}, KNOWN) is None


def test_only_plain_values_and_functions_of_the_file_itself_are_slips() -> None:
    def worker() -> None: ...

    class Worker: ...

    file: dict[str, Any] = {"__name__": "__config__"}
    assert mistyped_setting({**file, "_worker": 4}, KNOWN) is None
    assert mistyped_setting({**file, "worker": types.ModuleType("worker")}, KNOWN) is None
    assert mistyped_setting({**file, "worker": Worker}, KNOWN) is None
    # Imported from elsewhere.
    assert mistyped_setting({**file, "timeit": os.times}, KNOWN) is None
    worker.__module__ = "elsewhere"
    assert mistyped_setting({**file, "worker": worker}, KNOWN) is None
    worker.__module__ = "__config__"
    assert mistyped_setting({**file, "worker": worker}, KNOWN) == ("worker", "workers")


def test_no_setting_is_mistaken_for_another() -> None:
    for name in KNOWN:
        assert mistyped_setting({name: 1}, KNOWN) is None


@pytest.mark.parametrize(
    ("text", "code", "detail"),
    [
        ("unrecognized arguments: --wokers 4", "UNKNOWN_SETTING", "--workers"),
        ("unrecognized arguments: --polcy=stock", "UNKNOWN_SETTING", "--policy"),
        ("unrecognized arguments: --zzzzzzzzz", "UNKNOWN_SETTING", "--zzzzzzzzz is not an option"),
        ("unrecognized arguments: other:app", "USAGE", "one application only"),
        ("argument -w/--workers: invalid int value: 'many'", "USAGE", "invalid int value: 'many'"),
    ],
)
def test_what_argparse_says_is_made_understandable(text: str, code: str, detail: str) -> None:
    parser = Config(prog="cowherd serve").parser()
    found_code, found_detail = explain_usage_error(parser, text)
    assert found_code == code
    assert detail in found_detail


def test_nothing_is_near_what_is_like_nothing() -> None:
    parser = Config(prog="cowherd serve").parser()
    assert "nearest" not in explain_usage_error(parser, "unrecognized arguments: --zzzzzzzzz")[1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "gevent worker requires gevent 24.10.1 or newer",
            "gevent worker requires gevent 24.10.1 or newer",
        ),
        (
            "class uri 'x' invalid or not found: \n\n[Traceback\n  File\nImportError: no x\n]",
            "class uri 'x' invalid or not found (ImportError: no x)",
        ),
        ("", "RuntimeError"),
    ],
)
def test_a_worker_class_that_cannot_be_had_is_explained_in_one_line(text: str, line: str) -> None:
    assert explain_worker_class(RuntimeError(text), CowherdConfig()) == f"worker_class: {line}"


def test_every_row_of_the_table_is_a_setting_of_gunicorns() -> None:
    registered = Config().settings
    for row in TABLE:
        setting = registered[row["name"]]
        assert setting.section == own_settings.SECTION
        assert list(setting.cli or ()) == row.get("options", [])
        assert setting.short == " ".join(row["description"][0].split())
    assert {row["name"] for row in TABLE} >= set(OURS)
