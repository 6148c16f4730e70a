"""A frame made at import; the first query starts Polars' thread pool."""

import polars as pl

frame = pl.DataFrame({"number": range(2000), "word": [f"w{n % 13}" for n in range(2000)]})


def answer(number: int) -> str:
    query = (
        frame.lazy()
        .filter(pl.col("number") > number * 10)
        .group_by("word")
        .agg(pl.col("number").sum().alias("sum"), pl.len().alias("count"))
        .sort("word")
    )
    return f"{number} {query.collect().write_json()}"
