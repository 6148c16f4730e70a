"""Which messages the keeper takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cowherd_agent.wire import message_rules
from cowherd_agent.wire.message_rules import BadMessage, Stage
from cowherd_agent.wire.shapes import MOLD_MESSAGES, WORKER_MESSAGES

FORKED = {"type": "forked", "slot": 3, "pid": 70, "age": 1, "forked_monotonic_ns": 5}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe garbage",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"type": 1}',
        b'{"type": null}',
        b"[" * 60_000,
        b'{"type": "notice", "text": ' + b"[" * 60_000,
        b'{"type": "notice", "text": NaN}',
        b'{"type": "notice", "text": -Infinity}',
        b'{"type": "notice"} {"type": "notice"}',
        b'{"type": "notice", "text": "\n"}',
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        message_rules.read(data)


def test_a_number_that_json_has_no_word_for_is_not_relayed() -> None:
    message = message_rules.read(b'{"type": "notice", "text": 1e999}')
    with pytest.raises(BadMessage):
        message_rules.write({"type": "from_worker", "message": message})


def test_what_is_relayed_is_one_line_of_json() -> None:
    message = message_rules.read('{"type": "notice", "text": "a\\nü\\ud800"}'.encode())
    line = message_rules.write(message)
    assert line.count(b"\n") == 1
    assert json.loads(line) == message


def may(message: dict[str, Any], stage: Stage, *, was_worker: bool = False) -> bool:
    try:
        message_rules.of_mold(message, stage, was_worker=was_worker, forking={3})
    except BadMessage:
        return False
    return True


@pytest.mark.parametrize(
    ("stage", "due"),
    [
        (Stage.UNORDERED, set()),
        (Stage.ORDERED, {"configured", "progress", "notice", "mold_failed", "mold_finished"}),
        (
            Stage.CONFIGURED,
            {
                "mold_ready",
                "policy_rejected",
                "progress",
                "notice",
                "mold_failed",
                "mold_finished",
            },
        ),
        (
            Stage.READY,
            {"forked", "fork_failed", "progress", "notice"},
        ),
    ],
)
def test_a_mold_is_believed_when_a_message_is_due(stage: Stage, due: set[str]) -> None:
    everything = (
        MOLD_MESSAGES | WORKER_MESSAGES | {"forked", "process_exited", "keeper_leaving", "nope"}
    )
    assert {kind for kind in everything if may({**FORKED, "type": kind}, stage)} == due


def test_a_mold_that_was_a_worker_neither_starts_anew_nor_ends_the_herd() -> None:
    for kind in ("mold_finished", "policy_rejected"):
        assert may({"type": kind}, Stage.CONFIGURED)
        assert not may({"type": kind}, Stage.CONFIGURED, was_worker=True)
    assert may({"type": "mold_ready"}, Stage.CONFIGURED, was_worker=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": 4},
        {"slot": "3"},
        {"slot": True},
        {"slot": None},
        {"pid": "70"},
        {"pid": 1.5},
        {"age": [1]},
        {"forked_monotonic_ns": "5"},
    ],
)
def test_a_fork_that_nobody_asked_for_or_without_its_numbers(changes: dict[str, Any]) -> None:
    assert may(FORKED, Stage.READY)
    assert not may({**FORKED, **changes}, Stage.READY)


def test_a_worker_says_what_workers_say_and_nothing_else() -> None:
    for kind in MOLD_MESSAGES | WORKER_MESSAGES | {"forked", "born", "nope"}:
        if kind in WORKER_MESSAGES:
            message_rules.of_worker({"type": kind})
        else:
            with pytest.raises(BadMessage):
                message_rules.of_worker({"type": kind})


def test_the_stages_follow_each_other() -> None:
    stage = Stage.ORDERED
    for kind, then in (
        ("progress", Stage.ORDERED),
        ("configured", Stage.CONFIGURED),
        ("policy_rejected", Stage.ORDERED),
        ("configured", Stage.CONFIGURED),
        ("mold_ready", Stage.READY),
        ("notice", Stage.READY),
    ):
        stage = message_rules.stage_after(kind, stage)
        assert stage is then
