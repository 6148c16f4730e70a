"""scikit-learn: gradient boosting over OpenMP's threads, trained and asked while the application
loads, and asked again in each request. Each answer tells whether the predictions are still those.

The model is small: at the end of each parallel region GNU's OpenMP waits in a loop, which is long
where workers have more threads than the machine has cores.
"""

import numpy as np
from counted import count
from flask import Flask, request
from sklearn.ensemble import HistGradientBoostingClassifier

samples = np.random.default_rng(1).random((500, 5))
model = HistGradientBoostingClassifier(max_iter=2).fit(samples, samples[:, 0] > 0.5)
predicted_at_import = model.predict_proba(samples)
count("import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    number = request.args["number"]
    if not np.array_equal(model.predict_proba(samples), predicted_at_import):
        return "other predictions than at import"
    count(number)
    return number
