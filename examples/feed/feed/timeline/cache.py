"""The worker's own cache: the most recently used feeds, up to a bound in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from feed.timeline.stories import UserFeed


class FeedCache:
    """Evicts the least recently used feeds first. Safe to use from several threads."""

    def __init__(self, bound_bytes: int) -> None:
        self.bound_bytes = bound_bytes
        self.held_bytes = 0
        self.hits = 0
        self.misses = 0
        self._feeds: OrderedDict[int, UserFeed] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._feeds)

    def get(self, user_id: int, make: Callable[[], UserFeed]) -> UserFeed:
        with self._lock:
            feed = self._feeds.get(user_id)
            if feed is not None:
                self._feeds.move_to_end(user_id)
                self.hits += 1
                return feed
            self.misses += 1
        # Made outside the lock. Two threads may make the same feed, which costs less than making
        # all threads wait for one.
        feed = make()
        with self._lock:
            replaced = self._feeds.pop(user_id, None)
            if replaced is not None:
                self.held_bytes -= replaced.cost_bytes
            self._feeds[user_id] = feed
            self.held_bytes += feed.cost_bytes
            while self.held_bytes > self.bound_bytes and len(self._feeds) > 1:
                _, oldest = self._feeds.popitem(last=False)
                self.held_bytes -= oldest.cost_bytes
        return feed
