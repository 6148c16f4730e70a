"""Cowherd, a prefork application server, as a Python package. `cowherd` is its command.

The server is the bundle in `dist/`, which Node runs. Applications import nothing from here.
"""

__version__ = "0.0.0"
