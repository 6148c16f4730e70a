"""Models fitted to a table."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

numbers = np.random.default_rng(1).normal(size=(200, 2))
table = pd.DataFrame({"x": numbers[:, 0], "y": numbers[:, 0] * 2 + numbers[:, 1]})


def answer(number: int) -> str:
    part = table.iloc[number : number + 100]
    fitted = smf.ols("y ~ x", part).fit()
    low = sm.nonparametric.lowess(part["y"], part["x"], frac=0.5)
    return f"{number} {fitted.params['x']:.9f} {fitted.rsquared:.9f} {low.sum():.6f}"
