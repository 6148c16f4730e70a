"""What each policy keeps shared. The losing cases are there to show that the tests can fail."""

from __future__ import annotations

import sys
import unittest

import support
from cowherd_agent.heap.interpreter import identify, why_not

HAS_IMMORTAL = why_not("immortal", identify()) is None
MIB = 1024 * 1024


class ReadingEveryObject(unittest.TestCase):
    def test_immortal_keeps_nearly_everything_or_is_refused(self) -> None:
        if not HAS_IMMORTAL:
            done = support.completed("sharing", "immortal", "read")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("it needs CPython 3.12 or newer", done.stderr)
            return
        found = support.run("sharing", "immortal", "read")
        support.record("immortal, read all: kept", found["kept"])
        self.assertGreaterEqual(found["at_fork"], 55 * MIB)
        self.assertGreaterEqual(found["kept"], 0.98)

    def test_freeze_loses_what_is_read(self) -> None:
        found = support.run("sharing", "freeze", "read")
        support.record("freeze, read all: kept", found["kept"])
        self.assertLess(found["kept"], 0.6)


class FullCollections(unittest.TestCase):
    def test_freeze_and_immortal_keep_everything(self) -> None:
        for policy in ("freeze", "immortal") if HAS_IMMORTAL else ("freeze",):
            found = support.run("sharing", policy, "collect")
            support.record(f"{policy}, collect: kept", found["kept"])
            self.assertGreaterEqual(found["kept"], 0.98, policy)

    def test_stock_loses(self) -> None:
        found = support.run("sharing", "stock", "collect")
        support.record("stock, collect: kept", found["kept"])
        self.assertLess(found["kept"], 0.9)


class ASecondGeneration(unittest.TestCase):
    """A worker that retires has its heap prepared again."""

    def test_what_came_since_is_shared_too_and_the_notes_are_of_both(self) -> None:
        for policy in ("freeze", "immortal") if HAS_IMMORTAL else ("freeze",):
            found = support.run("second", policy)
            support.record(f"{policy}, second generation: kept", found["kept"])
            self.assertGreaterEqual(found["kept"], 0.97, policy)
            self.assertGreaterEqual(found["at_fork"], 50 * MIB)
            self.assertEqual(found["files"], [True, True], policy)
            self.assertGreater(found["frozen"], found["first_frozen"])
            self.assertAlmostEqual(
                found["frozen"] / found["really_frozen"], 1, delta=0.02, msg=policy
            )


class WarmingAPrivateCache(unittest.TestCase):
    """The collector's own rules bring full passes when a worker makes many objects."""

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
    def test_speed_price_and_progress(self) -> None:
        if not HAS_IMMORTAL:
            return
        found = support.run("sharing", "immortal", "read", 150)
        rate = found["objects"] / found["immortalize_seconds"]
        support.record("immortalize: million objects per second", rate / 1e6)
        self.assertGreater(found["objects"], 1_000_000)
        # The whole preparation, in CPU time: other work on the machine does not count.
        cpu_rate = found["objects"] / found["prepare_cpu_seconds"]
        support.record("prepare: million objects per CPU second", cpu_rate / 1e6)
        self.assertGreater(cpu_rate, 400_000)
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
