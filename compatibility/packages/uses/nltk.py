"""Stems, trees and distances; its corpora are loaded lazily, and none is installed."""

import nltk
from nltk.corpus import stopwords
from nltk.stem import PorterStemmer, SnowballStemmer

stemmer = PorterStemmer()
german = SnowballStemmer("german")
grammar = nltk.CFG.fromstring("S -> A B\nA -> 'the'\nB -> 'herd' | 'mold'")


def answer(number: int) -> str:
    words = [f"running{number}", "copies", "shared"]
    tree = next(nltk.ChartParser(grammar).parse(["the", ("herd", "mold")[number % 2]]))
    try:
        stopwords.words("english")
        error = "none"
    except LookupError:
        error = "LookupError"
    grams = list(nltk.ngrams(words, 2))
    return f"{[stemmer.stem(w) for w in words]} {german.stem('Häuser')} {tree} {grams} {error}"
