"""Plain words and sentences made from numbers: the same number always gives the same text."""

from __future__ import annotations

TEXT = (
    "apple river stone cloud window garden silver market letter morning bridge paper summer forest "
    "candle harbor copper meadow winter lantern velvet orchard pepper canyon island feather marble "
    "thunder willow ember saddle compass"
)
WORDS = TEXT.split()


def sentence(number: int, words: int) -> str:
    """A sentence of `words` words; neighboring numbers give different sentences."""
    # Knuth's multiplicative hash, so that neighbors begin differently.
    bits = (number * 2654435761) & 0xFFFFFFFFFFFF
    parts = []
    for _ in range(words):
        parts.append(WORDS[bits & 31])
        bits = (bits >> 5) or number + words
    return " ".join(parts)


PHRASES = tuple(sentence(number, 6) for number in range(1024))
"""Phrases from which long texts are joined faster than word by word."""
