"""A connection per process, opened at its first request."""

import os

import MySQLdb

connection = None


def answer(number: int) -> str:
    global connection
    if connection is None:
        connection = MySQLdb.connect(
            host="127.0.0.1",
            port=int(os.environ["COWHERD_MARIADB_PORT"]),
            user="cowherd",
            password="cowherd",
            database="cowherd",
            autocommit=True,
        )
    cursor = connection.cursor()
    cursor.execute("select %s + 1, upper(%s)", (number, f"word {number}"))
    rows = cursor.fetchall()
    cursor.close()
    return str(rows)
