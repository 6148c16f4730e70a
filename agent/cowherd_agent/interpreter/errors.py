"""The error of the heap policies."""

from __future__ import annotations


class PolicyUnavailable(Exception):
    """A heap policy that is not possible with this interpreter, or whose self-test failed.

    Attributes:
        policy: the policy's name, as the user chose it.
        reason: why not, as a clause that can follow "because".
    """

    def __init__(self, policy: str, reason: str, available: tuple[str, ...] = ()) -> None:
        self.policy = policy
        self.reason = reason
        self.available = available
        message = f"heap policy {policy!r} is not available: {reason}"
        if available:
            message += f"; this interpreter can do: {', '.join(available)}"
        super().__init__(message)
