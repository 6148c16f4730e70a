"""A connection per thread, opened at its first query."""

import os
import threading

import psycopg
from psycopg.rows import dict_row

ADDRESS = (
    f"host=127.0.0.1 port={os.environ['COWHERD_POSTGRESQL_PORT']} user=cowherd dbname=postgres"
)
local = threading.local()


def connection() -> psycopg.Connection:
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(ADDRESS, row_factory=dict_row, autocommit=True)
    return local.connection


def answer(number: int) -> str:
    query = "select %s::int as number, %s::int * 2 as double, array[%s, 'b'] as words"
    return str(connection().execute(query, (number, number, f"a{number}")).fetchall())
