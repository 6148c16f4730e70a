"""The objects in numpy's arrays: all that are stored, and none created by asking."""

from __future__ import annotations

import sys
from typing import Any

import numpy
import pytest
from cowherd_agent.interpreter.hidden_referents import HiddenReferents

THING, OTHER = ("a thing",), ("another",)


def referents_of(array: Any) -> list[object]:
    return HiddenReferents().of([array])


def test_an_array_of_objects_of_any_shape() -> None:
    array = numpy.empty((2, 2), dtype=object)
    array[:, 0] = [OTHER[0], THING[0]]
    array[0, 1] = THING
    found = referents_of(array[::-1])
    assert [id(each) for each in found] == [id(THING[0]), id(None), id(OTHER[0]), id(THING)]


def test_the_fields_of_records_however_deep() -> None:
    inner = numpy.dtype([("number", "f8"), ("what", "O")])
    records = numpy.zeros(2, dtype=[("id", "i8"), ("one", "O"), ("inner", inner, (2,))])
    records["one"][1] = THING
    records["inner"]["what"][0, 1] = OTHER
    found = referents_of(records)
    assert len(found) == 2 + 4
    assert any(each is THING for each in found)
    assert any(each is OTHER for each in found)


@pytest.mark.parametrize(
    "array",
    [
        numpy.arange(10_000),
        numpy.array(["a", "b"]),
        numpy.zeros(3, dtype=[("id", "i8"), ("name", "U9")]),
        numpy.array(["a", "long " * 20], dtype=numpy.dtypes.StringDType()),
    ],
)
def test_what_is_no_object_in_memory_is_not_made_one(array: Any) -> None:
    assert referents_of(array) == []


def test_no_code_of_a_derived_class_is_run() -> None:
    class Proud(numpy.ndarray):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        def __getitem__(self, key: Any) -> Any:
            raise AssertionError(key)

    plain = numpy.zeros(1, dtype=[("what", "O")])
    plain["what"][0] = THING
    assert [each is THING for each in referents_of(numpy.ndarray.view(plain, Proud))] == [True]


def test_asking_leaves_reference_counts_alone() -> None:
    array = numpy.empty(100, dtype=object)
    array[:] = [THING] * 100
    before = sys.getrefcount(THING)
    referents_of(array)
    assert sys.getrefcount(THING) == before
