"""docs/settings.md lists exactly the existing settings, and says how each is treated."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import gunicorn
import pytest

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = Path(gunicorn.__file__).parent
AGENT = ROOT / "agent" / "cowherd_agent"

# Values that Config computes from settings with other names (gunicorn/config.py).
DERIVED = {
    "address": "bind",
    "env": "raw_env",
    "gid": "group",
    "uid": "user",
    "worker_class_str": "worker_class",
}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        name.replace("-", "_"), ROOT / "scripts" / f"{name}.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return load("settings-page")


@pytest.fixture(scope="module")
def taken_over() -> ModuleType:
    return load("gunicorn_settings_taken_over")


@pytest.fixture(scope="module")
def page(generator: ModuleType) -> str:
    text: str = generator.PAGE.read_text("utf-8")
    return text


def known_names(generator: ModuleType) -> set[str]:
    return {each.name for each in generator.KNOWN_SETTINGS}


def block(page: str, name: str) -> str:
    return page.partition(f"<!-- {name}: ")[2].partition(f"<!-- end of {name} -->")[0]


def names_in(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)`", text, re.MULTILINE)


def settings_read(file: Path, known: set[str]) -> set[str]:
    """The settings that a source file reads: `cfg.NAME`, `conf.NAME`, `settings["NAME"]` and
    `.set("NAME", ...)`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            owner_name = getattr(owner, "attr", getattr(owner, "id", ""))
            if owner_name in ("cfg", "conf"):
                found.add(DERIVED.get(node.attr, node.attr))
        elif isinstance(node, ast.Subscript):
            if isinstance(node.slice, ast.Constant) and isinstance(node.value, ast.Attribute):
                found.add(str(node.slice.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "set" and node.args:
            found.add(str(getattr(node.args[0], "value", "")))
    return found & known


def settings_read_by_cowherd(known: set[str]) -> set[str]:
    return set().union(*(settings_read(file, known) for file in AGENT.rglob("*.py")))


def test_every_setting_is_on_the_page_once(generator: ModuleType, page: str) -> None:
    gunicorns = {each.name for each in generator.gunicorn_settings()}
    cowherds = {each.name for each in generator.own_settings()}
    listed = names_in(block(page, "all settings"))
    assert len(listed) == len(set(listed))
    assert set(listed) == gunicorns, "run scripts/settings-page.py with the newest gunicorn"
    assert set(names_in(block(page, "own settings"))) == cowherds
    assert len(cowherds) >= 6


def test_the_tables_are_up_to_date(generator: ModuleType, page: str) -> None:
    assert generator.rendered(page) == page, "run scripts/settings-page.py"


def test_every_option_is_on_the_page(generator: ModuleType, page: str) -> None:
    for each in generator.KNOWN_SETTINGS:
        for option in each.cli or ():
            assert f"`{option} " in page or f"`{option}`" in page, option


def test_the_list_has_no_setting_that_does_not_exist(
    generator: ModuleType, taken_over: ModuleType
) -> None:
    known = known_names(generator)
    assert set(taken_over.TREATMENTS) <= known
    assert {name for names in taken_over.SINCE.values() for name in names} <= known


def test_what_cowherd_reads_is_on_the_list(generator: ModuleType, taken_over: ModuleType) -> None:
    read = settings_read_by_cowherd({each.name for each in generator.gunicorn_settings()})
    assert {"bind", "workers", "timeout", "preload_app", "on_starting", "logger_class"} <= read
    without_effect = {
        name for name, each in taken_over.TREATMENTS.items() if each[0] == "no effect"
    }
    assert read - set(taken_over.TREATMENTS) == set()
    assert read & without_effect == set(taken_over.READ_TO_WARN)


def test_what_is_taken_over_is_read_by_cowherd(
    generator: ModuleType, taken_over: ModuleType
) -> None:
    read = settings_read_by_cowherd(known_names(generator))
    # gunicorn's Arbiter, which the mold makes but does not run, calls it when it is made.
    by_the_arbiter_object = {"nworkers_changed"}
    for name, (kind, _) in taken_over.TREATMENTS.items():
        if kind == "taken over":
            assert name in read | by_the_arbiter_object, name


def test_what_gunicorns_arbiter_reads_is_on_the_list(
    generator: ModuleType, taken_over: ModuleType
) -> None:
    known = known_names(generator)
    for file in taken_over.READ_BY_THE_SERVER:
        read = settings_read(GUNICORN / file, known)
        assert read, file
        assert read - set(taken_over.TREATMENTS) == set(), file


def test_own_command_line_options_are_on_the_page(page: str) -> None:
    source = (ROOT / "src" / "cli" / "serve" / "serve-arguments.ts").read_text("utf-8")
    found = re.search(r"OWN_OPTIONS = new Set\(\[([^\]]*)\]", source)
    assert found is not None
    options = re.findall(r"'(--[a-z-]+)'", found[1])
    assert "--python" in options
    for option in options:
        assert f"| `{option} " in page, option
