"""The mark itself: which objects get it, and that the self-test finds a wrong one."""

from __future__ import annotations

import unittest

import support


class WhatIsReached(unittest.TestCase):
    @support.immortal_only
    def test_every_kind_of_object(self) -> None:
        found = support.run("marks")
        self.assertEqual(found["mortal"], [])
        # Otherwise the test could not fail.
        self.assertLess(len(found["were_immortal"]), 15)

    @support.immortal_only
    def test_a_second_walk_finds_only_what_is_new(self) -> None:
        found = support.run("marks")
        self.assertLess(found["objects_again"], found["objects"] * 0.05)


class SelfTest(unittest.TestCase):
    @support.immortal_only
    def test_the_right_mark_passes(self) -> None:
        self.assertIsNone(support.run("wrong_mark", "right")["refused"])

    @unittest.skipIf(support.HAS_IMMORTAL, "it is refused before CPython 3.12 only")
    def test_before_3_12_every_mark_is_refused(self) -> None:
        self.assertIn("needs CPython 3.12", support.run("wrong_mark", "right")["refused"])

    def test_a_count_that_is_no_mark_is_refused(self) -> None:
        self.assertIsNotNone(support.run("wrong_mark", "low")["refused"])

    @unittest.skipUnless(support.HAS_FLAGS, "objects have no flags before CPython 3.14")
    def test_the_flag_is_needed_from_3_14_on(self) -> None:
        self.assertIsNotNone(support.run("wrong_mark", "no-flag")["refused"])

    @support.immortal_only
    def test_types_that_cannot_be_compared_or_hashed(self) -> None:
        found = support.run("strange_types")
        self.assertEqual(found["calls"], [])
        self.assertGreater(found["objects"], 40_000)
        self.assertGreater(found["kept"], 0.95)


if __name__ == "__main__":
    unittest.main()
