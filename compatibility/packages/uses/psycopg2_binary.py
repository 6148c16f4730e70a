"""A connection pool made at the first request."""

import os

from psycopg2 import extras, pool, sql

connections: pool.ThreadedConnectionPool | None = None


def answer(number: int) -> str:
    global connections
    if connections is None:
        connections = pool.ThreadedConnectionPool(
            1,
            2,
            host="127.0.0.1",
            port=int(os.environ["COWHERD_POSTGRESQL_PORT"]),
            user="cowherd",
            dbname="postgres",
        )
    connection = connections.getconn()
    try:
        with connection, connection.cursor(cursor_factory=extras.RealDictCursor) as cursor:
            query = sql.SQL("select %s as {}, array[%s, 2] as list").format(
                sql.Identifier("number")
            )
            cursor.execute(query, (number, number * 2))
            return str([dict(row) for row in cursor.fetchall()])
    finally:
        connections.putconn(connection)
