"""A small ASGI application."""

from shop.asgi import app

__all__ = ["app"]
