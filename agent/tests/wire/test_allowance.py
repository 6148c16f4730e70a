"""How much a worker may send."""

from __future__ import annotations

from cowherd_agent.wire.allowance import AT_ONCE_BYTES, BYTES_A_SECOND, MESSAGE_BYTES, Allowance


def test_much_at_once_then_little_and_after_a_while_much_again() -> None:
    allowance = Allowance(100.0)
    most = AT_ONCE_BYTES // (MESSAGE_BYTES + 100)
    assert [allowance.takes(100, 100.0) for _ in range(most + 1)] == [True] * most + [False]
    a_second = BYTES_A_SECOND // (MESSAGE_BYTES + 100)
    taken = sum(allowance.takes(100, 101.0) for _ in range(most))
    assert a_second <= taken <= a_second + 1
    assert sum(allowance.takes(100, 1e6) for _ in range(2 * most)) == most


def test_one_that_is_too_long_costs_nothing() -> None:
    allowance = Allowance(0.0)
    assert not allowance.takes(AT_ONCE_BYTES, 0.0)
    assert allowance.takes(AT_ONCE_BYTES - MESSAGE_BYTES, 0.0)
    assert not allowance.takes(1, 0.0)
