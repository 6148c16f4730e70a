"""What each policy keeps shared. The losing cases show that the tests can fail."""

from __future__ import annotations

import sys
import unittest

import support

MIB = 1024 * 1024


class ReadingEveryObject(unittest.TestCase):
    @unittest.skipIf(support.HAS_IMMORTAL, "it is refused before CPython 3.12 only")
    def test_before_3_12_immortal_is_refused(self) -> None:
        done = support.completed("sharing", "immortal", "read")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("it needs CPython 3.12 or newer", done.stderr)

    @support.immortal_only
    def test_immortal_keeps_nearly_everything(self) -> None:
        found = support.run("sharing", "immortal", "read")
        support.record("immortal, read all: kept", found["kept"])
        self.assertGreaterEqual(found["at_fork"], 55 * MIB)
        self.assertGreaterEqual(found["kept"], 0.98)

    def test_freeze_loses_what_is_read(self) -> None:
        found = support.run("sharing", "freeze", "read")
        support.record("freeze, read all: kept", found["kept"])
        self.assertLess(found["kept"], 0.6)


class FullCollections(unittest.TestCase):
    def test_freeze_keeps_everything(self) -> None:
        self.check("freeze")

    @support.immortal_only
    def test_immortal_keeps_everything(self) -> None:
        self.check("immortal")

    def check(self, policy: str) -> None:
        found = support.run("sharing", policy, "collect")
        support.record(f"{policy}, collect: kept", found["kept"])
        self.assertGreaterEqual(found["kept"], 0.98)

    def test_stock_loses(self) -> None:
        found = support.run("sharing", "stock", "collect")
        support.record("stock, collect: kept", found["kept"])
        self.assertLess(found["kept"], 0.9)


class ASecondGeneration(unittest.TestCase):
    """The heap of a worker that retires is prepared again."""

    def test_freeze_shares_what_came_since_and_the_notes_are_of_both(self) -> None:
        self.check("freeze")

    @support.immortal_only
    def test_immortal_shares_what_came_since_and_the_notes_are_of_both(self) -> None:
        self.check("immortal")

    def check(self, policy: str) -> None:
        found = support.run("second", policy)
        support.record(f"{policy}, second generation: kept", found["kept"])
        self.assertGreaterEqual(found["kept"], 0.97)
        self.assertGreaterEqual(found["at_fork"], 50 * MIB)
        self.assertEqual(found["files"], [True, True])
        self.assertGreater(found["frozen"], found["first_frozen"])
        self.assertAlmostEqual(found["frozen"] / found["really_frozen"], 1, delta=0.02)


class WarmingAPrivateCache(unittest.TestCase):
    """The collector's own rules cause full passes when a worker makes many objects."""

    def test_instagram_and_freeze_keep_everything(self) -> None:
        for policy in ("instagram", "freeze"):
            found = support.run("sharing", policy, "warm")
            support.record(f"{policy}, warm: kept", found["kept"])
            self.assertGreaterEqual(found["kept"], 0.95, policy)

    def test_stock_loses(self) -> None:
        found = support.run("sharing", "stock", "warm")
        support.record("stock, warm: kept", found["kept"])
        self.assertLess(found["kept"], 0.9)


class TheWalk(unittest.TestCase):
    @support.immortal_only
    def test_speed_price_and_progress(self) -> None:
        found = support.run("sharing", "immortal", "read", 150)
        rate = found["objects"] / found["immortalize_seconds"]
        support.record("immortalize: million objects per second", rate / 1e6)
        self.assertGreater(found["objects"], 1_000_000)
        # The whole preparation, in CPU time: other work on the machine does not count.
        cpu_rate = found["objects"] / found["prepare_cpu_seconds"]
        support.record("prepare: million objects per CPU second", cpu_rate / 1e6)
        support.record(
            "prepare: in readings of the heap",
            found["prepare_cpu_seconds"] / found["read_cpu_seconds"],
        )
        self.assertLess(found["prepare_cpu_seconds"], 25 * found["read_cpu_seconds"])
        self.assertLess(found["price_bytes"], 8 * MIB)
        steps: dict[str, list[tuple[int, float]]] = {}
        for step, done, seconds in found["events"]:
            steps.setdefault(step, []).append((done, seconds))
        told = steps["immortalize"]
        self.assertEqual(told[-1][0], found["objects"])
        self.assertEqual(told, sorted(told))
        self.assertLessEqual(len(told), found["immortalize_seconds"] * 10 + 2)


if __name__ == "__main__":
    print(sys.version)
    unittest.main()
