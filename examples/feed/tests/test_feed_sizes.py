"""Sizes obey the environment; caches obey their bound."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parent.parent


def test_sizes_come_from_the_environment(site: Path) -> None:
    from feed.sizes import BadSize, sizes_from

    assert sizes_from({}).heap_mib == 250
    assert sizes_from({}).cache_mib == 40
    assert sizes_from({"FEED_HEAP_MIB": "8", "FEED_CACHE_MIB": ""}).heap_mib == 8
    with pytest.raises(BadSize, match="FEED_HEAP_MIB must be a whole number, not 'big'"):
        sizes_from({"FEED_HEAP_MIB": "big"})
    with pytest.raises(BadSize, match="FEED_USERS must lie between 1 and 100000, not 0"):
        sizes_from({"FEED_USERS": "0"})


def loaded_mib(heap_mib: int) -> float:
    """How much anonymous memory the data adds to a new process, in MiB."""
    script = """
def anonymous():
    with open("/proc/self/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))
before = anonymous()
import feed.site_data.loaded
print((anonymous() - before) / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=SITE,
        env={"FEED_HEAP_MIB": str(heap_mib)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def test_the_data_takes_the_memory_it_was_given() -> None:
    # A difference, so that constant parts (modules, words) cancel out.
    assert loaded_mib(80) - loaded_mib(24) == pytest.approx(56, rel=0.12)


def test_the_cache_keeps_the_latest_within_its_bound(site: Path) -> None:
    from feed.timeline.cache import FeedCache
    from feed.timeline.stories import BYTES_OF_STORY, Story, UserFeed

    def feed_of(stories: int) -> UserFeed:
        return UserFeed([Story(None, 0, [], [])] * stories)  # type: ignore[arg-type]

    cache = FeedCache(bound_bytes=10 * BYTES_OF_STORY)
    made = []

    def ask(user_id: int, stories: int = 3) -> None:
        def make() -> UserFeed:
            made.append(user_id)
            return feed_of(stories)

        cache.get(user_id, make)

    for user_id in (1, 2, 3, 1, 4):
        ask(user_id)
    assert made == [1, 2, 3, 4]
    assert len(cache) == 3
    assert cache.held_bytes == 9 * BYTES_OF_STORY
    ask(1)
    assert made == [1, 2, 3, 4], "user 1 was used last but one, so user 2 had to leave"
    ask(2)
    assert made == [1, 2, 3, 4, 2]
    ask(9, stories=50)
    assert len(cache) == 1, "what is larger than the bound stays alone"
    ask(1)
    assert cache.held_bytes == 3 * BYTES_OF_STORY


def test_the_cache_counts_the_bytes_that_feeds_take(site: Path) -> None:
    from feed.site_data.loaded import RANKINGS
    from feed.timeline.stories import make_feed

    tables = [table for tables in RANKINGS.values() for table in tables.values()][:20]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        feed = make_feed(1, tables)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(feed.stories) > 1000
    assert feed.cost_bytes == pytest.approx(after - before, rel=0.15)
