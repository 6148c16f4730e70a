"""Trees trained at import, by one thread in each process: OMP_NUM_THREADS is 1 in the list.

If OpenMP's threads were started before a fork, the child waits for them forever, under any server.
"""

import numpy as np
import xgboost as xgb

numbers = np.random.default_rng(1).random((500, 6))
wanted = (numbers.sum(axis=1) > 3).astype(int)
model = xgb.XGBClassifier(n_estimators=20, max_depth=3, random_state=1)
model.fit(numbers, wanted)


def answer(number: int) -> str:
    rows = numbers[number : number + 30]
    return f"{number} {model.predict(rows).tolist()} {model.predict_proba(rows)[0][1]:.6f}"
