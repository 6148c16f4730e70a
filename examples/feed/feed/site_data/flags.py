"""Feature flags: who gets which feature, decided by rules.

Sites of this size have tens of thousands, most of them finished experiments that nobody removed. A
page uses a few dozen, always the same.
"""

from __future__ import annotations

from feed.site_data.words import PHRASES, WORDS

FLAGS_PER_MIB = 175
LEAST_FLAGS = 400
IN_USE = 48
"""How many flags pages use: the first ones of the table, since the exporter writes them first."""


class Rule:
    """One condition of a flag, and the share of matching users who get the feature."""

    def __init__(self, attribute: str, values: list[str], percent: int) -> None:
        self.attribute = attribute
        self.values = values
        self.percent = percent


class Flag:
    def __init__(
        self,
        name: str,
        owner: str,
        description: str,
        rules: list[Rule],
        overrides: dict[str, bool],
    ) -> None:
        self.name = name
        self.owner = owner
        self.description = description
        self.rules = rules
        self.overrides = overrides

    def is_on(self, user_id: int, attributes: dict[str, str]) -> bool:
        """Whether this user gets the feature. `attributes` are the user's: region, locale, plan."""
        for rule in self.rules:
            if attributes[rule.attribute] in rule.values:
                return (user_id * 7919 + len(self.name)) % 100 < rule.percent
        return False


REGIONS_OF_RULES = (["emea", "apac"], ["amer"], ["emea"], ["amer", "apac"])
PLANS_OF_RULES = (["free"], ["free", "plus"], ["plus"], ["staff"])


def flag_name(number: int) -> str:
    return f"{WORDS[number & 31]}_{WORDS[(number >> 5) & 31]}_{number}"


def load_flags(heap_mib: int) -> dict[str, Flag]:
    flags = {}
    for number in range(max(LEAST_FLAGS, heap_mib * FLAGS_PER_MIB)):
        name = flag_name(number)
        flags[name] = Flag(
            name,
            WORDS[number % 29],
            f"Experiment {number}: {PHRASES[number & 1023]}, {PHRASES[(number * 7) & 1023]}.",
            [
                Rule("area", list(REGIONS_OF_RULES[number & 3]), number % 101),
                Rule("plan", list(PLANS_OF_RULES[(number >> 2) & 3]), (number * 3) % 101),
            ],
            {"qa": True, "press": False},
        )
    return flags
