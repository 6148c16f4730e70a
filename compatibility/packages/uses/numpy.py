"""Arrays made at import, a linear system solved by LAPACK, and a random generator with a seed."""

import numpy as np

table = np.arange(10_000, dtype=np.float64).reshape(100, 100)
matrix = table % 7 + np.eye(100) * 50


def answer(number: int) -> str:
    solution = np.linalg.solve(matrix, table[number])
    back = matrix @ solution
    drawn = np.random.default_rng(number).integers(0, 1000, 5).tolist()
    words = np.array(["a", "b", "c"], dtype=object).repeat(number % 3 + 1)
    close = bool(np.allclose(back, table[number]))
    return f"{number} {close} {drawn} {''.join(words)} {np.fft.fft(table[number]).sum().real:.3f}"
