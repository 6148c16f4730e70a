"""numpy: the mold makes arrays of numbers, objects, strings and records."""

from __future__ import annotations

from decimal import Decimal

import numpy
from checked import application

ROWS = 60_000

numbers = numpy.arange(600_000, dtype=numpy.float64).reshape(600, 1_000)
objects = numpy.array([f"item {n}" if n % 2 else Decimal(n) for n in range(ROWS)], dtype=object)
nested = numpy.empty(2_000, dtype=object)
for number in range(2_000):
    nested[number] = [numpy.full(20, number), {"half": number / 2, "name": f"nested {number}"}]
records = numpy.zeros(ROWS, dtype=[("id", "i8"), ("name", "U12"), ("anything", "O")])
records["id"] = numpy.arange(ROWS)
records["name"] = [f"record {n}" for n in range(ROWS)]
records["anything"] = [(n, f"any {n}") for n in range(ROWS)]
masked = numpy.ma.masked_array(numpy.arange(10_000), mask=numpy.arange(10_000) % 3 == 0)
spare = [numpy.array([f"spare {n} {k}" for k in range(200)], dtype=object) for n in range(400)]
views = [numbers[:, column] for column in range(1_000)]
generator = numpy.random.default_rng(7)


def fingerprint() -> tuple[object, ...]:
    """Reads every object."""
    texts = sum(len(str(each)) for each in objects)
    deep = sum(int(array.sum()) + len(about["name"]) for array, about in nested)
    anything = sum(number + len(text) for number, text in records["anything"])
    columns = sum(float(view[1]) for view in views)
    return float(numbers.sum()), texts, deep, anything, columns, int(masked.sum())


EXPECTED = fingerprint()


def read() -> bool:
    return fingerprint() == EXPECTED and len(sorted(map(str, objects[:500]))) == 500


def change() -> bool:
    """Changes, sorts and multiplies copies. The mold's arrays stay unchanged."""
    copy = objects.copy()
    copy[::3] = "changed"
    own = records.copy()
    own["anything"][::2] = None
    own = own[numpy.argsort(own["name"])]
    solved = numpy.linalg.solve(numbers[:50, :50] + numpy.eye(50) * 1e6, numbers[:50, 3])
    drawn = generator.permutation(objects)
    joined = numpy.concatenate([objects[:100], numpy.array(["mine"] * 50, dtype=object)])
    right = numpy.allclose((numbers[:50, :50] + numpy.eye(50) * 1e6) @ solved, numbers[:50, 3])
    sums = (copy == "changed").sum() == ROWS // 3 and len(joined) == 150 and len(drawn) == ROWS
    stays = objects[3] == "item 3" and records["anything"][2] == (2, "any 2")
    return bool(right and sums and stays)


def free() -> bool:
    """Overwrites the mold's arrays and throws them away, one at each request."""
    if spare:
        gone = spare.pop()
        gone[::2] = None
        del gone
    first = nested[len(spare)]
    nested[len(spare)] = [first[0].copy(), dict(first[1])]
    objects[4::1_000] = [Decimal(n) for n in range(4, ROWS, 1_000)]
    return fingerprint() == EXPECTED


app = application(read=read, change=change, free=free)
