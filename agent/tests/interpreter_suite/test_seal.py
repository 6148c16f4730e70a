"""Sealing: a worker that only allocates leaves the mold's pages alone."""

from __future__ import annotations

import unittest

import support

MIB = 1024 * 1024


class Sealing(unittest.TestCase):
    def compare(self, kind: str) -> None:
        unsealed = support.run("allocating", "open", kind)
        sealed = support.run("allocating", "sealed", kind)
        support.record(f"{kind}, open: unshared MiB", unsealed["unshared"] / MIB)
        support.record(f"{kind}, sealed: unshared MiB", sealed["unshared"] / MIB)
        self.assertEqual(sealed["skipped"], [])
        # Otherwise there would be nothing to save.
        self.assertGreater(unsealed["unshared"], 4 * MIB)
        self.assertLess(sealed["unshared"], unsealed["unshared"] / 4)
        self.assertLess(sealed["price_bytes"], 4 * MIB)

    def test_small_objects(self) -> None:
        self.compare("small")

    def test_large_blocks(self) -> None:
        self.compare("large")

    def test_little_is_left_free(self) -> None:
        sealed = support.run("allocating", "sealed", "small")
        self.assertGreater(sealed["free_before"], 8 * MIB)
        self.assertLess(sealed["free_after"], 0.5 * MIB)

    def test_a_heap_that_was_sealed_is_sealed(self) -> None:
        """Sealing also seals its own leftovers: repeating it finds no more than before."""
        first, *others = support.run("sealing_again", 3)["left_free_bytes"]
        support.record("left free by sealing: KiB", first / 1024)
        self.assertGreater(first, 0)
        self.assertLess(first, min(others) + 64 * 1024)


if __name__ == "__main__":
    unittest.main()
