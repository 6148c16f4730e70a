"""Trees trained at import, by OpenMP's threads."""

import lightgbm as lgb
import numpy as np

numbers = np.random.default_rng(1).random((500, 6))
model = lgb.LGBMRegressor(n_estimators=20, random_state=1, verbose=-1)
model.fit(numbers, numbers.sum(axis=1))


def answer(number: int) -> str:
    return f"{number} {[round(float(n), 6) for n in model.predict(numbers[number : number + 20])]}"
