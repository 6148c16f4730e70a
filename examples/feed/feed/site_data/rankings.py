"""Ranking tables: per region and topic, how each post performs there, newest post first.

A nightly batch job writes them for the whole archive; pages are made from the newest posts.
"""

from __future__ import annotations

from feed.site_data.words import WORDS

RANKINGS_PER_MIB = 3900
LEAST_PER_TABLE = 60

REGIONS_TEXT = (
    "de fr it es pt nl be at ch pl cz se no dk fi us ca mx br ar cl co jp kr in id th vn au nz"
)
TOPICS_TEXT = (
    "cities cooking films football gardens history health music nature photos politics science "
    "theatre travel weather writing"
)
REGIONS = REGIONS_TEXT.split()
TOPICS = TOPICS_TEXT.split()
NEWEST_POST_ID = 50_000_000


class Ranking:
    """A post's standing in one region and topic. Figures are percentiles, 0 to 100."""

    __slots__ = (
        "freshness",
        "language",
        "model",
        "post_id",
        "quality",
        "reach",
        "reports",
        "score",
        "topic",
        "velocity",
    )

    def __init__(
        self,
        post_id: int,
        topic: str,
        language: str,
        model: str,
        score: int,
        velocity: int,
        quality: int,
        freshness: int,
        reach: int,
        reports: int,
    ) -> None:
        self.post_id = post_id
        self.topic = topic
        self.language = language
        self.model = model
        self.score = score
        self.velocity = velocity
        self.quality = quality
        self.freshness = freshness
        self.reach = reach
        self.reports = reports


def load_rankings(heap_mib: int) -> dict[str, dict[str, list[Ranking]]]:
    tables = len(REGIONS) * len(TOPICS)
    per_table = max(LEAST_PER_TABLE, heap_mib * RANKINGS_PER_MIB // tables)
    post_ids = {
        topic: [NEWEST_POST_ID - age * len(TOPICS) - position for age in range(per_table)]
        for position, topic in enumerate(TOPICS)
    }
    return {
        region: {topic: load_table(topic, region, post_ids[topic], number) for topic in TOPICS}
        for number, region in enumerate(REGIONS)
    }


def load_table(topic: str, region: str, post_ids: list[int], seed: int) -> list[Ranking]:
    model = f"{WORDS[seed & 31]}-{topic}"
    return [
        Ranking(
            post_id,
            topic,
            region,
            model,
            (post_id * 31 + seed) % 101,
            (post_id * 17 + seed) % 101,
            (post_id * 13 + seed) % 101,
            (post_id * 7) % 101,
            (post_id + seed) % 101,
            post_id % 7,
        )
        for post_id in post_ids
    ]
