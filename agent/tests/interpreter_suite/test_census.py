"""The census finds who owns what, on known pages."""

from __future__ import annotations

import unittest
from typing import Any

import support

ROWS = 6000
"""In programs/census.py."""


class Owners(unittest.TestCase):
    def test_a_module_gets_the_bytes_of_what_it_holds(self) -> None:
        for policy in ("stock", support.BEST):
            with self.subTest(policy):
                found = support.run("census", policy)
                # Also objects that another module refers to, and a function that another holds.
                for owner, percent in found["percent"].items():
                    self.assertGreaterEqual(percent, 95, owner)
                self.assertGreaterEqual(found["closure_percent"], 95)
                # Instances belong to their holder, their class to its own module.
                self.assertEqual(list(found["rows_of"]), ["table"])
                self.assertEqual(found["row_pages_missed"], 0)
                self.assertIn("classes", found["class_in"])
                self.assertNotIn("table", found["class_in"])
                self.assertEqual((found["mode"], found["left"]), ("0o600", ["census"]))
                self.assert_tables_are_told_of(found)
                support.record(f"census_{policy}_least_percent", min(found["percent"].values()))

    def assert_tables_are_told_of(self, found: dict[str, Any]) -> None:
        self.assertGreaterEqual(found["keys_bytes"], found["keys_expected"])
        # The module's own names, and up to 3.10 the dicts of the rows' attributes.
        self.assertLess(found["keys_bytes"], found["keys_expected"] + ROWS * 200)
        # The pointers of the list of rows, at least.
        self.assertGreater(found["list_bytes"], ROWS * 8)
        self.assertIn("classes", found["class_keys_in"])
        # An instance's header for the collector, and more.
        self.assertGreaterEqual(found["row_bytes"], 48)

    def test_it_is_quick_and_has_little_memory_for_itself(self) -> None:
        """It may also copy the objects it reads, except immortal ones."""
        found = support.run("census_cost", support.BEST)
        heap = found["heap_bytes"]
        self.assertGreater(found["bytes"], heap * 0.8)
        # The application reads each object in a tenth to a fifteenth of the measured time.
        self.assertLess(found["cpu_seconds"], 40 * found["read_cpu_seconds"])
        self.assertLess(found["file_bytes"], heap * 0.02)
        # Allocations, such as lists of objects, never exceeded this.
        self.assertLess(found["peak_bytes"], heap * 0.2)
        if support.BEST == "immortal":
            self.assertLess(found["private_bytes"], heap * 0.2)
        support.record(
            "census_cpu_seconds_per_million", found["cpu_seconds"] / found["objects"] * 1e6
        )
        support.record("census_in_readings", found["cpu_seconds"] / found["read_cpu_seconds"])
        support.record("census_private_percent", 100 * found["private_bytes"] / heap)


if __name__ == "__main__":
    unittest.main()
