"""How a mold says that it can't go on."""

from __future__ import annotations


class MoldFailure(Exception):
    """Ends the mold. ``code`` is one of the error catalogue's (src/base/error-catalogue.ts),
    ``detail`` says what it happened to."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        # The catalogue's sentence follows the detail.
        self.detail = detail.rstrip().removesuffix(".")
