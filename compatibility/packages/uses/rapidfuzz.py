"""Distances, and the best match of many words."""

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler, Levenshtein

words = [f"worker {n * 37 % 101}" for n in range(200)]


def answer(number: int) -> str:
    best = process.extract(f"wurker {number}", words, scorer=fuzz.WRatio, limit=3)
    matrix = process.cdist(words[:5], words[number : number + 5], workers=1, dtype=np.uint8)
    edits = Levenshtein.editops("herd", f"hard{number}").as_list()
    return f"{best} {matrix.tolist()} {edits} {JaroWinkler.similarity('mold', f'mild{number}'):.6f}"
