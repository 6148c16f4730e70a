"""Leaving without finalization loses nothing of the application's own cleanup."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import support


class Leaving(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def order(self) -> list[str]:
        return (self.folder / "order").read_text("utf-8").splitlines()

    def check(self, how: str, status: int, expected_status: int) -> None:
        done = support.completed("leaves", how, self.folder, status)
        self.assertEqual(done.returncode, expected_status, done.stderr)
        self.assertEqual(self.order()[:2], ["thread", "thread"])
        hooks = [line for line in self.order() if line != "thread"]
        self.assertEqual(hooks, ["last hook", "first hook"])
        self.assertIn("ValueError: a broken hook", done.stderr)
        self.assertIn("to stdout", done.stdout)
        self.assertIn("to C's stdout", done.stdout)
        self.assertEqual((self.folder / "left open").read_text("utf-8"), "written")
        self.assertEqual((self.folder / "of the mold").read_text("utf-8"), "before, after")

    def test_leave(self) -> None:
        self.check("leave", 3, 3)

    def test_leave_well(self) -> None:
        self.check("leave", 0, 0)

    def test_hook(self) -> None:
        self.check("hook", 4, 4)

    def test_hook_after_an_exception(self) -> None:
        self.check("raise", 0, 1)

    def test_the_interpreter_finalizes(self) -> None:
        """The yardstick for the others: the same cleanup, and then the heap is taken down."""
        done = support.completed("leaves", "plain", self.folder, 5)
        self.assertEqual(done.returncode, 5)
        hooks = [line for line in self.order() if line != "thread"]
        self.assertEqual(hooks, ["last hook", "first hook", "finalized"])

    def status_with_a_full_disk(self, how: str, status: int) -> int:
        """Every write to /dev/full fails with ENOSPC (full(4))."""
        with open("/dev/full", "wb") as full:
            done = support.completed("leaves", how, self.folder, status, stdout=full)
        self.assertEqual(self.order()[:2], ["thread", "thread"])
        return done.returncode

    def test_output_that_cannot_be_written_is_told_by_the_status(self) -> None:
        """As the interpreter does; but a status that reports an earlier error stays."""
        for how, status, expected in (
            ("plain", 0, 120),
            ("leave", 0, 120),
            ("hook", 0, 120),
            ("leave", 3, 3),
            ("hook", 3, 3),
        ):
            with self.subTest(how=how, status=status):
                (self.folder / "order").unlink(missing_ok=True)
                self.assertEqual(self.status_with_a_full_disk(how, status), expected)


if __name__ == "__main__":
    unittest.main()
