"""Types and their bytes, and a client whose server is not ClickHouse."""

import os

import clickhouse_connect
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.binding import bind_query

made_at_import = get_from_name("Map(String, Array(Nullable(Int64)))")


def answer(number: int) -> str:
    query, _ = bind_query("select %(n)s, %(word)s", {"n": number, "word": f"it's {number}"}, None)
    kind = get_from_name(f"FixedString({number + 1})")
    try:
        clickhouse_connect.get_client(
            host="127.0.0.1", port=int(os.environ["COWHERD_HTTP_PORT"]), query_retries=0
        )
        error = "none"
    except Exception as failure:
        error = "failed" if failure else ""
    return f"{query} {kind.name} {made_at_import.name} {error}"
