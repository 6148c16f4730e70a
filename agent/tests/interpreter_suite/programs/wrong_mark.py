"""wrong_mark.py HOW: whether the self-test finds a mark that is wrong for this interpreter.

HOW: right, no-flag, low (a large count that is no mark).
"""

from __future__ import annotations

import sys

from cowherd_agent.heap import immortality
from cowherd_agent.interpreter.errors import PolicyUnavailable
from herdlike import finish

markers = {
    "right": lambda: immortality.make_marker(),
    "no-flag": lambda: immortality.make_marker(with_flag=False),
    "low": lambda: immortality.make_marker(count=0x40000000),
}
try:
    immortality.self_test(markers[sys.argv[1]]())
except PolicyUnavailable as unavailable:
    finish({"refused": unavailable.reason})
finish({"refused": None})
