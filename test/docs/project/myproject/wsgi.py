"""The application of `shop`, under the name that Django gives it."""

from shop import app as application

__all__ = ["application"]
