"""Deceptive objects of an application: looks pass them by, and run none of their code."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cowherd_agent.fork_safety import Advisory, look_at_threads, verdict
from cowherd_agent.fork_safety.foreign_modules import loaded_modules, namespace_of
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.loaded_classes import loaded_classes

ran: list[str] = []


def fail(what: str) -> NoReturn:
    ran.append(what)
    raise RuntimeError(f"{what} was run")


class Library:
    """Like cffi's: it claims to be a module, and has no namespace."""

    __slots__ = ()

    @property
    def __class__(self) -> Any:
        return types.ModuleType

    def __getattr__(self, name: str) -> Any:
        fail(f"__getattr__({name})")


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        fail(f"__getattribute__({name})")

    def __eq__(self, other: object) -> bool:
        fail("__eq__")

    def __hash__(self) -> int:
        fail("__hash__")

    def __bool__(self) -> bool:
        fail("__bool__")

    def __repr__(self) -> str:
        fail("__repr__")


class Module(types.ModuleType):
    def __getattribute__(self, name: str) -> Any:
        fail(f"the module's __getattribute__({name})")

    @property
    def __dict__(self) -> Any:
        fail("the module's __dict__")


class Comparing(type):
    def __eq__(cls, other: object) -> bool:
        fail("the metaclass's __eq__")

    def __hash__(cls) -> int:
        fail("the metaclass's __hash__")

    def __instancecheck__(cls, instance: object) -> bool:
        fail("__instancecheck__")

    def __subclasscheck__(cls, subclass: type) -> bool:
        fail("__subclasscheck__")


class OfStrangeClass(metaclass=Comparing):
    pass


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[None]:
    """Puts all of them into sys.modules, and a module that loads when it is touched."""
    (tmp_path / "lazy.py").write_text("raise RuntimeError('it was loaded')\n")
    spec = importlib.util.spec_from_file_location("lazy", tmp_path / "lazy.py")
    assert spec is not None and spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    things: dict[Any, Any] = {
        "library.lib": Library(),
        "hostile": Hostile(),
        "its own module": Module("own"),
        "lazy": lazy,
        "a class": OfStrangeClass,
        "an instance": OfStrangeClass(),
        "nothing": None,
        7: types.ModuleType("seven"),
    }
    before = dict(sys.modules)
    ran.clear()
    dict.update(sys.modules, things)
    yield
    sys.modules.clear()
    sys.modules.update(before)


@pytest.mark.usefixtures("strange")
def test_modules_are_told_by_their_type() -> None:
    found = {name: type(module).__name__ for name, module in loaded_modules()}
    assert "library.lib" not in found
    assert "hostile" not in found
    assert found["its own module"] == "Module"
    assert found["lazy"] == "_LazyModule"
    assert ran == []


@pytest.mark.usefixtures("strange")
def test_a_namespace_is_read_where_the_interpreter_keeps_it() -> None:
    (own,) = [module for name, module in loaded_modules() if name == "its own module"]
    assert namespace_of(own)["__name__"] == "own"
    assert ran == []


@pytest.mark.usefixtures("strange")
def test_classes_are_looked_up_in_real_modules_only() -> None:
    names = [("library.lib", "x"), ("hostile", "x"), ("its own module", "x"), ("lazy", "x")]
    assert loaded_classes([*names, ("collections", "OrderedDict"), ("absent", "x")]) == [
        loaded_classes([("collections", "OrderedDict")])[0]
    ]
    assert ran == []


@pytest.mark.usefixtures("strange")
def test_no_look_fails_or_runs_their_code() -> None:
    warnings: list[str] = []
    advisory = Advisory(warnings.append, warnings.append)
    verdict([], advisory, look_at_threads(advisory, 0))
    assert warnings == []
    assert ran == []


@pytest.mark.usefixtures("strange")
def test_instances_are_found_without_asking_their_metaclass() -> None:
    instance = sys.modules["an instance"]
    search = HeapSearch([OfStrangeClass])
    assert [id(each) for each in search.instances_of([OfStrangeClass])] == [id(instance)]
    assert ran == []
