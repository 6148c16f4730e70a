"""Functions compiled at import, one in parallel, and one compiled at the first request."""

import numba
import numpy as np


@numba.njit("float64(float64[:])")
def total(values):  # type: ignore[no-untyped-def]
    result = 0.0
    for value in values:
        result += value
    return result


@numba.njit
def squares(count):  # type: ignore[no-untyped-def]
    return [n * n for n in range(count)]


@numba.vectorize(["float64(float64, float64)"])
def mixed(a, b):  # type: ignore[no-untyped-def]
    return a * 2 + b


numbers = np.arange(1000.0)


def answer(number: int) -> str:
    part = numbers[number:]
    return f"{number} {total(part)} {squares(number % 7 + 1)} {mixed(part, 1.0).sum()}"
