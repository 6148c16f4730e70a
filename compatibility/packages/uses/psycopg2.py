"""Built from source, against Debian's libpq; a connection made and closed in each request."""

import os

import psycopg2
from psycopg2.extensions import adapt

ADDRESS = (
    f"host=127.0.0.1 port={os.environ['COWHERD_POSTGRESQL_PORT']} user=cowherd dbname=postgres"
)


def answer(number: int) -> str:
    connection = psycopg2.connect(ADDRESS)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select generate_series(1, %s)", (number % 10,))
            rows = cursor.fetchall()
    finally:
        connection.close()
    return f"{number} {rows} {adapt([number, 'x']).getquoted().decode()}"
