"""A new in-memory connection for each request."""

import duckdb


def answer(number: int) -> str:
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "create table items as select range as n, range % 7 as k from range(1000)"
        )
        rows = connection.execute(
            "select k, sum(n), list(n order by n)[:3] from items where n > ? group by 1 order by 1",
            [number],
        ).fetchall()
        return f"{number} {rows}"
