"""Trees trained at import by one thread; each worker's predictions start OpenMP's threads.

If OpenMP's threads were started before a fork, the child waits for them forever, under any server.
"""

import lightgbm as lgb
import numpy as np

numbers = np.random.default_rng(1).random((500, 6))
model = lgb.LGBMRegressor(n_estimators=20, random_state=1, verbose=-1, n_jobs=1)
model.fit(numbers, numbers.sum(axis=1))


def answer(number: int) -> str:
    predicted = model.predict(numbers[number : number + 20], num_threads=2)
    return f"{number} {[round(float(n), 6) for n in predicted]}"
