"""Who owns each page of a process; `write_census` is for other servers too (docs/why.md)."""

from cowherd_agent.census.census import write_census

__all__ = ["write_census"]
