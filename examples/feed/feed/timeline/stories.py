"""A user's feed: the newest posts of the topics they follow, scored for them, best first."""

from __future__ import annotations

from operator import attrgetter

from feed.site_data.rankings import Ranking

NEWEST_OF_TOPIC = 120
"""Candidates taken from each ranking table."""
BYTES_OF_STORY = 430
"""Memory of one story with its signals and reasons, as tracemalloc counts it."""


class Signal:
    """A reason for a story's score for this user, kept to explain the order."""

    __slots__ = ("name", "weight")

    def __init__(self, name: str, weight: int) -> None:
        self.name = name
        self.weight = weight


class Story:
    __slots__ = ("ranking", "reasons", "score", "signals")

    def __init__(
        self, ranking: Ranking, score: int, signals: list[Signal], reasons: list[str]
    ) -> None:
        self.ranking = ranking
        self.score = score
        self.signals = signals
        self.reasons = reasons


class UserFeed:
    """All stories of a user, ranked. Pages are slices of them."""

    __slots__ = ("cost_bytes", "stories")

    def __init__(self, stories: list[Story]) -> None:
        self.stories = stories
        self.cost_bytes = len(stories) * BYTES_OF_STORY


by_score = attrgetter("score")


def make_feed(
    user_id: int, tables: list[list[Ranking]], newest_of_topic: int = NEWEST_OF_TOPIC
) -> UserFeed:
    """Score the newest candidates of the tables for this user."""
    stories = []
    for affinity, table in enumerate(tables, start=1):
        for ranking in table[:newest_of_topic]:
            taste = (ranking.post_id * user_id) % 64
            freshness = ranking.freshness
            quality = ranking.quality
            velocity = ranking.velocity
            stories.append(
                Story(
                    ranking,
                    2 * freshness + quality + velocity + taste - affinity * 4,
                    [
                        Signal("fresh", freshness),
                        Signal("quality", quality),
                        Signal("velocity", velocity),
                        Signal("taste", taste),
                    ],
                    [ranking.topic, ranking.model],
                )
            )
    stories.sort(key=by_score, reverse=True)
    return UserFeed(stories)
