"""What gunicorn's own loggers make of the gauges, with real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cowherd_agent.mold.gauges import Gauges, is_ready, wanted_by
from gunicorn.config import Config


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving:
        receiving.bind(("127.0.0.1", 0))
        receiving.settimeout(30)
        yield receiving


def _configured(**settings: Any) -> Config:
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    return cfg


def _gauges(cfg: Config) -> Gauges:
    return Gauges(SimpleNamespace(cfg=cfg, log=cfg.logger_class(cfg)), pytest.fail)


def test_reach_statsd_in_gunicorns_form(receiver: socket.socket) -> None:
    host, port = receiver.getsockname()
    cfg = _configured(statsd_host=f"{host}:{port}", statsd_prefix="shop", dogstatsd_tags="a:b")
    _gauges(cfg).tell(3, 17)
    assert receiver.recv(999) == b"shop.gunicorn.workers:3|g|#a:b"
    assert receiver.recv(999) == b"shop.gunicorn.backlog:17|h|#a:b"


def test_one_may_be_left_out(receiver: socket.socket) -> None:
    host, port = receiver.getsockname()
    gauges = _gauges(_configured(statsd_host=f"{host}:{port}"))
    gauges.tell(None, 0)
    gauges.tell(0, None)
    assert [receiver.recv(999) for _ in range(2)] == [
        b"gunicorn.backlog:0|h",
        b"gunicorn.workers:0|g",
    ]


def test_udp_that_nobody_receives_is_no_warning(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        host, port = unused.getsockname()
    cfg = _configured(statsd_host=f"{host}:{port}", errorlog="-")
    gauges = _gauges(cfg)
    for _ in range(5):
        gauges.tell(1, 1)
    assert "Traceback" not in capfd.readouterr().err


def _unix_receiver(path: Path) -> socket.socket:
    receiving = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiving.bind(str(path))
    receiving.settimeout(30)
    return receiving


def test_a_unix_receiver_may_go_and_come_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "statsd"
    first = _unix_receiver(path)
    gauges = _gauges(_configured(statsd_host=f"unix://{path}"))
    gauges.tell(1, None)
    assert first.recv(999) == b"gunicorn.workers:1|g"
    first.close()
    path.unlink()
    gauges.tell(2, 5)
    with _unix_receiver(path) as second:
        gauges.tell(3, None)
        assert second.recv(999) == b"gunicorn.workers:3|g"
    assert "Traceback" not in capfd.readouterr().err


def test_a_unix_receiver_that_is_stuck_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "statsd"
    with _unix_receiver(path) as stuck:
        gauges = _gauges(_configured(statsd_host=f"unix://{path}"))
        # More than the kernel queues (net.unix.max_dgram_qlen, 10 by default, 512 on some).
        for number in range(2000):
            gauges.tell(number, None)
        assert stuck.recv(999) == b"gunicorn.workers:0|g"


def test_a_logger_that_has_no_socket_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    gauges = _gauges(_configured(loglevel="debug", errorlog=str(log)))
    gauges.tell(4, 2)
    assert log.read_text().splitlines()[0].endswith("4 workers")
    assert log.read_text().splitlines()[1].endswith("socket backlog: 2")


def test_a_logger_that_raises_is_a_problem_once() -> None:
    class Broken:
        def debug(self, *_: object, **__: object) -> None:
            raise ValueError("no")

    heard: list[str] = []
    cfg = _configured()
    gauges = Gauges(SimpleNamespace(cfg=cfg, log=Broken()), heard.append)
    gauges.tell(1, None)
    gauges.tell(1, None)
    assert heard == ["gunicorn's logger took no gauge: ValueError: no"]


def test_a_logger_whose_sock_is_something_else_is_told() -> None:
    assert is_ready(None, None)
    assert is_ready(object(), "a")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, False),
        ({"statsd_host": "localhost:1"}, True),
        ({"loglevel": "debug"}, True),
        ({"logger_class": "shop.logs.Logger"}, True),
        ({"logconfig": "log.ini"}, True),
    ],
)
def test_are_wanted_by_a_logger_that_heeds_them(settings: dict[str, Any], wanted: bool) -> None:
    assert wanted_by(_configured(**settings)) == {"workers": wanted, "backlog": False}
    both = _configured(**settings, enable_backlog_metric=True)
    assert wanted_by(both) == {"workers": wanted, "backlog": wanted}
