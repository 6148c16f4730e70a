"""Where this package and the entry of its processes are."""

from __future__ import annotations

import os

PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__))

LAUNCHER = os.path.join(os.path.dirname(PACKAGE_FOLDER), "launch.py")
