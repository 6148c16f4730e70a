"""The guard: counts who steers the collector in a worker, and holds calls."""

from __future__ import annotations

import unittest
from typing import Any

import support
from cowherd_agent.collection.guard import undoes


def by_function(found: dict[str, Any]) -> dict[str, list[Any]]:
    return {name.split()[0]: call for name, call in found["calls"].items()}


class Hold(unittest.TestCase):
    def test_freeze_is_held(self) -> None:
        found = support.run("guarded", "hold", "freeze")
        calls = by_function(found)
        self.assertEqual(found["uncounted"], 0)
        self.assertEqual(calls["enable"], ["meddler", "/site/meddler/core.py", False, 3])
        self.assertEqual(calls["disable"][3], 3)
        self.assertEqual(calls["set_threshold"][2:], [True, 1])
        self.assertEqual(calls["unfreeze"][2:], [True, 1])
        self.assertEqual(calls["collect"][2:], [False, 1])
        self.assertEqual(found["threshold"], 0)
        self.assertTrue(found["kept_frozen"])
        # As a library expects it: enabled before, enabled after.
        self.assertEqual(found["enabled"], [True, True])

    def test_counters_and_first_calls(self) -> None:
        found = support.run("guarded", "hold", "freeze")
        counts = [call[3] for call in found["calls"].values()]
        held = [call[3] for call in found["calls"].values() if call[2]]
        self.assertEqual(found["told"], len(found["calls"]))
        self.assertEqual(found["held"] + found["reported"], sum(counts))
        self.assertEqual(found["held"], sum(held))

    def test_instagram_holds_collections_too(self) -> None:
        found = support.run("guarded", "hold", "instagram")
        self.assertEqual(by_function(found)["collect"][2:], [True, 1])
        self.assertEqual(found["collected"], 0)
        self.assertEqual(found["threshold"], 0)

    def test_collections_past_the_guard_are_seen_and_ended(self) -> None:
        found = support.run("guarded", "hold", "freeze")
        self.assertEqual(found["from_c"], 1)
        self.assertIn("collection", by_function(found))
        # A threshold set past the guard lives until the first collection it causes.
        self.assertEqual(found["threshold_reset"], 0)
        self.assertGreaterEqual(found["inside"], 3)


class OtherModes(unittest.TestCase):
    def test_report_lets_through(self) -> None:
        found = support.run("guarded", "report", "freeze")
        calls = by_function(found)
        self.assertEqual(calls["set_threshold"][2:], [False, 1])
        self.assertEqual(found["threshold"], 700)
        self.assertFalse(found["kept_frozen"])
        self.assertEqual(found["held"], 0)

    def test_off_counts_nothing(self) -> None:
        found = support.run("guarded", "off", "freeze")
        self.assertEqual(found["calls"], {})
        self.assertEqual(found["threshold"], 700)

    def test_stock_holds_nothing(self) -> None:
        found = support.run("guarded", "hold", "stock")
        self.assertEqual(found["threshold"], 700)
        self.assertEqual(found["held"], 0)
        self.assertGreater(found["reported"], 0)


class TheRule(unittest.TestCase):
    def test_what_undoes_what(self) -> None:
        self.assertTrue(undoes("freeze", "set_threshold", (1,)))
        self.assertFalse(undoes("freeze", "set_threshold", (0,)))
        self.assertFalse(undoes("freeze", "collect", ()))
        self.assertTrue(undoes("instagram", "collect", ()))
        self.assertFalse(undoes("immortal", "enable", ()))
        self.assertFalse(undoes("stock", "set_threshold", (1,)))


if __name__ == "__main__":
    unittest.main()
