"""The site's sizes, from the environment: read once, when the process starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class BadSize(ValueError):
    """A size in the environment that is not a number, or is out of range."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the site's parts: memory in MiB, everything else as a count."""

    heap_mib: int
    """Python objects loaded at import (`feed.site_data`), `FEED_HEAP_MIB`."""
    cache_mib: int
    """Bound of each worker's cache of users' feeds, `FEED_CACHE_MIB`."""
    users: int
    """Users in the database, `FEED_USERS`."""
    posts: int
    """Posts in the database, `FEED_POSTS`."""


def sizes_from(environ: Mapping[str, str]) -> Sizes:
    def number(name: str, default: int, least: int, most: int) -> int:
        text = environ.get(name, "")
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise BadSize(f"{name} must be a whole number, not {text!r}") from None
        if not least <= value <= most:
            raise BadSize(f"{name} must lie between {least} and {most}, not {value}")
        return value

    return Sizes(
        heap_mib=number("FEED_HEAP_MIB", 250, 1, 16384),
        cache_mib=number("FEED_CACHE_MIB", 40, 1, 4096),
        users=number("FEED_USERS", 400, 1, 100_000),
        posts=number("FEED_POSTS", 3000, 100, 1_000_000),
    )


SIZES = sizes_from(os.environ)
