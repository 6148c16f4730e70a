"""The mark itself: which objects get it, and that the self-test finds a wrong one."""

from __future__ import annotations

import sys
import unittest

import support
from cowherd_agent.heap.immortality import HAS_FLAGS
from cowherd_agent.heap.interpreter import identify, why_not

HAS_IMMORTAL = why_not("immortal", identify()) is None


class WhatIsReached(unittest.TestCase):
    def test_every_kind_of_object(self) -> None:
        if not HAS_IMMORTAL:
            return
        found = support.run("marks")
        self.assertEqual(found["mortal"], [])
        # Else the test could not fail.
        self.assertLess(len(found["were_immortal"]), 15)

    def test_a_second_walk_finds_only_what_is_new(self) -> None:
        if not HAS_IMMORTAL:
            return
        found = support.run("marks")
        self.assertLess(found["objects_again"], found["objects"] * 0.05)


class SelfTest(unittest.TestCase):
    def test_the_right_mark_passes(self) -> None:
        refused = support.run("wrong_mark", "right")["refused"]
        if HAS_IMMORTAL:
            self.assertIsNone(refused)
        else:
            self.assertIn("needs CPython 3.12", refused)

    def test_a_count_that_is_no_mark_is_refused(self) -> None:
        self.assertIsNotNone(support.run("wrong_mark", "low")["refused"])

    def test_the_flag_is_needed_from_3_14_on(self) -> None:
        refused = support.run("wrong_mark", "no-flag")["refused"]
        if HAS_IMMORTAL and HAS_FLAGS:
            self.assertIsNotNone(refused)

    def test_types_that_cannot_be_compared_or_hashed(self) -> None:
        if sys.version_info < (3, 12):
            self.skipTest("no immortal objects before 3.12")
        found = support.run("strange_types")
        self.assertEqual(found["calls"], [])
        self.assertGreater(found["objects"], 40_000)
        self.assertGreater(found["kept"], 0.95)


if __name__ == "__main__":
    unittest.main()
