"""scikit-learn: gradient boosting over OpenMP's threads. The model is trained and used while the
application loads, and used again in each request. Each answer says whether the predictions agree.

The model is small, because GNU's OpenMP busy-waits at the end of each parallel region, which takes
long if workers have more threads than the machine has cores.
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
