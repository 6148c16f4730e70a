"""A connection made and closed in each request."""

import os

import pymysql
from pymysql.cursors import DictCursor

settings = {
    "host": "127.0.0.1",
    "port": int(os.environ["COWHERD_MARIADB_PORT"]),
    "user": "cowherd",
    "password": "cowherd",
    "database": "cowherd",
}


def answer(number: int) -> str:
    connection = pymysql.connect(**settings, cursorclass=DictCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute("select %s * 2 as double_, %s as word", (number, f"w'{number}"))
        return str(cursor.fetchall())
