"""Code that runs in workers, moved together in the mold."""

from __future__ import annotations

import sys
import unittest

import support

MIB = 1024 * 1024


class CodePlacement(unittest.TestCase):
    def test_functions_do_the_same_and_a_worker_copies_less(self) -> None:
        scattered = support.run("placing", "scattered")
        gathered = support.run("placing", "gathered")
        support.record("code scattered: unshared MiB", scattered["unshared"] / MIB)
        support.record("code gathered: unshared MiB", gathered["unshared"] / MIB)
        self.assertTrue(scattered["same"] and gathered["same"])
        self.assertEqual(scattered["moved"], 0)
        # `use`, `outer` and its two inner functions, of each; and comprehensions before 3.12.
        self.assertEqual(gathered["moved"], 400)
        self.assertGreaterEqual(gathered["counts"]["codes"], 4 * 400)
        self.assertGreaterEqual(gathered["counts"]["functions"], 2 * 400)
        # Before 3.11 no code is adapted.
        if sys.version_info >= (3, 11):
            self.assertLess(gathered["unshared"], 0.75 * scattered["unshared"])


if __name__ == "__main__":
    unittest.main()
