"""The census of applications that obstruct it, and under plain servers."""

from __future__ import annotations

import binascii
import gc
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cowherd_agent.census.census import why_not, write_census
from cowherd_agent.interpreter.interpreter import Interpreter, identify
from plain_servers import AGENT, free_port, running

# Asked for anything, each of these would run application code or change what the census counts.
HOSTILE = """
import sys, types

class Refuses(type):
    def __eq__(cls, other): raise RuntimeError("compared")
    def __hash__(cls): raise RuntimeError("hashed")
    def __getattribute__(cls, name): raise RuntimeError(f"asked for {name}")
    def __instancecheck__(cls, item): raise RuntimeError("asked for its instances")

def refuse(self, *arguments): raise RuntimeError("asked")

names = "__sizeof__ __getattribute__ __eq__ __hash__ __len__ __iter__ __bool__ keys".split()
namespace = {name: refuse for name in names}
instances = [object.__new__(Refuses("Plain", (), dict(namespace))) for _ in range(50)]
for base in (dict, list, set, str, int, tuple, bytes):
    kind = type(base.__name__.title(), (base,), dict(namespace))
    instances += [base.__new__(kind) for _ in range(50)]
ill_named = [type("Odd", (), {"__module__": value}) for value in (None, 7, [], property(refuse))]

class Lazy(types.ModuleType):
    def __getattribute__(self, name): raise RuntimeError(f"asked for {name}")

password = "planted-secret"
settings = {"planted-secret": ["planted-secret".encode()]}
sys.modules["lazy"] = Lazy("lazy")
sys.modules["not_a_module"] = instances[0]
sys.modules["nothing"] = None
sys.modules[7] = types.ModuleType("seven")
"""


def names_of(path: Path) -> dict[str, Any]:
    """The names at the end of a census, which must be complete."""
    data = path.read_bytes()
    size, checksum = struct.unpack("<2I", data[-8:])
    assert binascii.crc32(data[:-4]) == checksum
    names: dict[str, Any] = json.loads(data[-8 - size : -8])
    return names


def test_no_code_of_the_application_is_run_and_nothing_it_stores_is_written(tmp_path: Path) -> None:
    path = tmp_path / "census"
    program = f"{HOSTILE}\nfrom cowherd_agent.census import write_census\nwrite_census(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert b"planted" not in path.read_bytes()
    names = names_of(path)
    assert {"lazy", "not_a_module", "__main__"} <= set(names["modules"])
    assert {"Plain", "Dict", "Str", "Int", "Lazy"} <= set(names["types"])


def test_where_it_cannot_be_written_nothing_is_changed(tmp_path: Path) -> None:
    assert gc.isenabled()
    with pytest.raises(FileNotFoundError):
        write_census(str(tmp_path / "no" / "such" / "folder"))
    assert gc.isenabled()
    (tmp_path / "census").mkdir()
    with pytest.raises(IsADirectoryError):
        write_census(str(tmp_path / "census"))
    assert [each.name for each in tmp_path.iterdir()] == ["census"]
    assert gc.isenabled()


def test_one_that_is_there_is_replaced_with_what_was_left_of_another(tmp_path: Path) -> None:
    for name in ("census", "census.new"):
        (tmp_path / name).write_text("old")
    counted = write_census(str(tmp_path / "census"))
    assert names_of(tmp_path / "census")["objects"] == counted.objects
    assert [each.name for each in tmp_path.iterdir()] == ["census"]


def test_interpreters_that_have_none() -> None:
    usual = Interpreter("cpython", (3, 13, 0))
    assert why_not(usual) is None
    assert why_not(identify()) is None
    for other in (
        usual._replace(free_threaded=True),
        usual._replace(implementation="pypy"),
        usual._replace(pointer_bytes=4),
    ):
        assert why_not(other) is not None


CONF = """
from cowherd_agent.census import write_census
from cowherd_agent.forked_child import run_in_child

preload_app = True
workers = 1

def when_ready(server):
    run_in_child(lambda tell: write_census("PATH"), timeout_seconds=60)
"""

APPLICATION = """
from tables import rows

class OnlyHere: pass

only_here = OnlyHere()

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]
"""

UWSGI_TAIL = """
from cowherd_agent.census import write_census
from cowherd_agent.forked_child import run_in_child
run_in_child(lambda tell: write_census("PATH"), timeout_seconds=60)
"""

TABLES = """
class Row: pass
rows = [Row() for _ in range(1000)]
"""


def owners_of(path: Path, kind: str) -> set[str | None]:
    names = names_of(path)
    data = path.read_bytes()
    (size,) = struct.unpack("<I", data[-8:-4])
    found, at = set(), 16
    while at < len(data) - 8 - size:
        module, number, count, _ = struct.unpack_from("<4I", data, at)
        if names["types"][number] == kind:
            found.add(names["modules"][module])
        at += 16 + 8 * count
    return found


@pytest.mark.parametrize("kind", ["gunicorn", "uwsgi"])
def test_under_a_plain_server(kind: str, tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "census"
    (tmp_path / "tables.py").write_text(TABLES)
    if kind == "gunicorn":
        (tmp_path / "app.py").write_text(APPLICATION)
        (tmp_path / "gunicorn.conf.py").write_text(CONF.replace("PATH", str(path)))
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        command.append("app:application")
    else:
        (tmp_path / "app.py").write_text(APPLICATION + UWSGI_TAIL.replace("PATH", str(path)))
        command = [str(Path(sys.executable).with_name("uwsgi")), "--need-app", "--die-on-term"]
        command += ["--http-socket", f"127.0.0.1:{port}", "--master", "--processes", "1"]
        command += ["--single-interpreter", "--module", "app:application"]
    with running(command, tmp_path, port):
        # Imported objects are not the application's own, though it is still being imported.
        assert owners_of(path, "Row") == {"tables"}
        assert owners_of(path, "OnlyHere") == {"app"}
