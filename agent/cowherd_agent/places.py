"""Paths of this package and of its processes' entry script."""

from __future__ import annotations

import os

PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__))

LAUNCHER = os.path.join(os.path.dirname(PACKAGE_FOLDER), "launch.py")
