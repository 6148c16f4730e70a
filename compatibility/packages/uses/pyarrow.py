"""A table made at import; Arrow's own thread pool computes over it."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

table = pa.table({"number": list(range(10_000)), "word": [f"w{n % 17}" for n in range(10_000)]})


def answer(number: int) -> str:
    part = table.filter(pc.greater(table["number"], 9_000 + number))
    grouped = part.group_by("word").aggregate([("number", "sum")]).sort_by("word")
    stored = io.BytesIO()
    pq.write_table(grouped, stored, compression="zstd")
    back = pq.read_table(io.BytesIO(stored.getvalue()))
    return f"{number} {back.num_rows} {back.to_pydict()}"
