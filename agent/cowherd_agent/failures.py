"""How a mold says that it can't go on."""

from __future__ import annotations


class MoldFailure(Exception):
    """Ends the mold. ``code`` is one of the error catalogue's (src/base/errors.ts), ``detail``
    says on what it happened."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        # The catalogue's sentence goes on behind it.
        self.detail = detail.rstrip().removesuffix(".")
