"""The site's data. Importing this module loads it."""

from __future__ import annotations

from feed.site_data.flags import Flag, load_flags
from feed.site_data.rankings import Ranking, load_rankings
from feed.site_data.strings import load_strings
from feed.sizes import SIZES

FLAGS: dict[str, Flag] = load_flags(SIZES.heap_mib)
RANKINGS: dict[str, dict[str, list[Ranking]]] = load_rankings(SIZES.heap_mib)
STRINGS: dict[str, dict[str, list[str]]] = load_strings(SIZES.heap_mib)

EVERYTHING = (FLAGS, RANKINGS, STRINGS)
