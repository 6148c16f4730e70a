"""Localized strings: per locale and key, the plural forms of a message.

Keys are in the order of the translators' files; the first file has the messages of every page.
"""

from __future__ import annotations

from feed.site_data.words import PHRASES, WORDS

MESSAGES_PER_MIB = 44
LEAST_MESSAGES = 300
COMMON = 64
"""How many messages pages show: the first ones of each locale."""

LOCALES_TEXT = "en de fr it es pt nl pl cs sv nb da fi hu ro el tr uk ru ar he hi ja ko"
LOCALES = LOCALES_TEXT.split()


def message_key(number: int) -> str:
    return f"{WORDS[number & 31]}.{WORDS[(number >> 5) & 31]}.{number}"


def load_strings(heap_mib: int) -> dict[str, dict[str, list[str]]]:
    keys = [
        message_key(number) for number in range(max(LEAST_MESSAGES, heap_mib * MESSAGES_PER_MIB))
    ]
    return {
        locale: load_locale(locale, keys, position * 37) for position, locale in enumerate(LOCALES)
    }


def load_locale(locale: str, keys: list[str], seed: int) -> dict[str, list[str]]:
    messages = {}
    for number, key in enumerate(keys):
        phrase = PHRASES[(number + seed) & 1023]
        messages[key] = [
            f"[{locale}] {phrase} {number}",
            f"[{locale}] {phrase}, {PHRASES[(number * 3) & 1023]} {number}",
        ]
    return messages
