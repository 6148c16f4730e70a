"""The scout's verdict, good and bad."""

from __future__ import annotations

import unittest

import support

MIB = 1024 * 1024


class Verdicts(unittest.TestCase):
    def test_well(self) -> None:
        found = support.run("scouting", support.BEST, "well")
        self.assertTrue(found["ok"], found["reason"])
        self.assertLess(found["unshared_bytes"], 2 * MIB)
        self.assertGreater(found["shared_at_fork_bytes"], 40 * MIB)

    def test_its_own_memory_does_not_count(self) -> None:
        self.assertTrue(support.run("scouting", support.BEST, "private")["ok"])

    def test_writes_into_what_it_shares(self) -> None:
        """The warm-up counts only where reading is promised: freeze promises less."""
        found = support.run("scouting", support.BEST, "overwrites")
        self.assertEqual(found["ok"], support.BEST == "freeze")
        self.assertGreater(found["unshared_after_warmup_bytes"], 19 * MIB)
        if support.BEST == "immortal":
            self.assertIn("copied", found["reason"])

    def test_output_that_nobody_takes_is_no_fault_of_the_policy(self) -> None:
        """A herd's terminal may be gone; its workers then leave with status 120."""
        found = support.run("scouting", support.BEST, "prints")
        self.assertTrue(found["ok"], found["reason"])

    def test_a_bad_end_has_a_reason(self) -> None:
        expected = {
            "raises": "failed to run the warm-up: ValueError: no such table: users",
            "crashes": "killed by SIGSEGV (it was to run the warm-up)",
            "hangs": "did not end within 1.5 s",
            "exits": "left with status 9",
        }
        for warmup, reason in expected.items():
            found = support.run("scouting", "freeze", warmup)
            self.assertFalse(found["ok"])
            self.assertIn(reason, found["reason"])


if __name__ == "__main__":
    unittest.main()
