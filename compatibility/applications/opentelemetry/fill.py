"""Makes notes.db."""

import sqlite3

database = sqlite3.connect("notes.db")
database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
database.executemany("INSERT INTO note (text) VALUES (?)", [(f"Note {n}",) for n in range(200)])
database.commit()
