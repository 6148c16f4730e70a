"""Makes library.db: tables with references, a view and a full-text index."""

import sqlite3

LANGUAGES = ["Danish", "English", "Estonian", "French", "Georgian", "Welsh"]

database = sqlite3.connect("library.db")
database.executescript("""
    CREATE TABLE language (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INTEGER);
    CREATE TABLE book (
        id INTEGER PRIMARY KEY,
        title TEXT NOT NULL,
        author_id INTEGER REFERENCES author (id),
        language_id INTEGER REFERENCES language (id),
        pages INTEGER,
        summary TEXT
    );
    CREATE TABLE word (letter TEXT, number INTEGER, note TEXT, PRIMARY KEY (letter, number));
    CREATE VIEW long_book AS SELECT title, pages FROM book WHERE pages > 500;
    CREATE VIRTUAL TABLE book_search
        USING fts5 (title, summary, content='book', content_rowid='id');
""")
database.executemany("INSERT INTO language VALUES (?, ?)", enumerate(LANGUAGES, 1))
database.executemany(
    "INSERT INTO author VALUES (?, ?, ?)",
    [(number, f"Author {number}", 1800 + number % 200) for number in range(1, 401)],
)
database.executemany(
    "INSERT INTO book VALUES (?, ?, ?, ?, ?, ?)",
    [
        (
            number,
            f"Book {number} of the {'north' if number % 3 else 'south'}",
            1 + number * 7 % 400,
            1 + number % len(LANGUAGES),
            50 + number * 13 % 900,
            f"A summary with <markup> & an umlaut: Müller, number {number}.",
        )
        for number in range(1, 5001)
    ],
)
database.executemany(
    "INSERT INTO word VALUES (?, ?, ?)",
    [(letter, number, f"{letter}/{number}") for letter in "ab/c" for number in range(40)],
)
database.execute("INSERT INTO book_search (book_search) VALUES ('rebuild')")
database.commit()
