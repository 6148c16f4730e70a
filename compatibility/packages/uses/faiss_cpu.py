"""An index made at import by one thread; each worker's searches start OpenMP's threads.

If OpenMP's threads were started before a fork, the child waits for them forever, under any server.
"""

import faiss
import numpy as np

numbers = np.random.default_rng(1).random((500, 16), dtype=np.float32)
faiss.omp_set_num_threads(1)
index = faiss.IndexHNSWFlat(16, 8)
index.add(numbers)
flat = faiss.IndexFlatL2(16)
flat.add(numbers)


def answer(number: int) -> str:
    faiss.omp_set_num_threads(2)
    distances, found = flat.search(numbers[number : number + 20] + 0.01, 3)
    near = index.search(numbers[number : number + 1], 1)[1]
    return f"{number} {found.tolist()} {round(float(distances.sum()), 4)} {near.tolist()}"
