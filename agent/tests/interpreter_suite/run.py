"""Runs the suite in this interpreter, and writes its result as JSON into a file.

`python run.py RESULT PATTERN`. The driver is scripts/test-interpreters.py.
"""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path

SUITE = Path(__file__).resolve().parent


def main() -> int:
    result_file, pattern = sys.argv[1:]
    suite = unittest.defaultTestLoader.discover(str(SUITE), pattern=pattern)
    result = unittest.TextTestRunner().run(suite)
    # A test with several parts may fail in each.
    bad = [test for test, _ in [*result.failures, *result.errors]] + result.unexpectedSuccesses
    failed = {test.id().split(" ")[0] for test in bad}
    outcome = {
        "ran": result.testsRun,
        "failed": len(failed),
        "skips": [{"test": test.id(), "reason": reason} for test, reason in result.skipped],
    }
    Path(result_file).write_text(json.dumps(outcome), "utf-8")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
