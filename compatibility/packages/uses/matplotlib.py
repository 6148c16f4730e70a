"""Figures without a screen: fonts looked up at import, pictures drawn in each request."""

import hashlib
import io

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np


def answer(number: int) -> str:
    figure, axes = plt.subplots(figsize=(3, 2), dpi=60)
    axes.plot(np.arange(20) ** (number % 5), label=f"number {number}")
    axes.legend()
    axes.set_title(f"Title {number}")
    stored = io.BytesIO()
    figure.savefig(stored, format="raw")
    plt.close(figure)
    digest = hashlib.sha256(stored.getvalue()).hexdigest()[:16]
    return f"{number} {digest} {plt.get_fignums()}"
