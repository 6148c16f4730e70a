"""Sub-modules that SciPy loads lazily, some at import and some at the first request."""

import numpy as np
import scipy
from scipy import optimize, sparse
from scipy.spatial import cKDTree

points = np.random.default_rng(1).random((500, 3))
tree = cKDTree(points)
matrix = sparse.random(100, 100, 0.05, random_state=2, format="csr") + sparse.eye(100) * 3


def answer(number: int) -> str:
    distance, index = tree.query(points[number] + 0.01)
    root = optimize.brentq(lambda x: x**3 - number - 1, 0, 60)
    solution = scipy.sparse.linalg.spsolve(matrix.tocsc(), np.arange(100.0) + number)
    p = scipy.stats.norm.cdf(number / 50)
    integral = scipy.integrate.quad(np.sin, 0, number + 1)[0]
    return f"{distance:.9f} {index} {root:.9f} {solution.sum():.9f} {p:.9f} {integral:.9f}"
