"""The same application, as Django names it."""

from . import app as application

__all__ = ["application"]
