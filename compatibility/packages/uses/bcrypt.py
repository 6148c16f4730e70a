"""Hashes with a salt made at import."""

import bcrypt

salt = b"$2b$04$abcdefghijklmnopqrstuu"
kept = bcrypt.hashpw(b"word", bcrypt.gensalt(4))


def answer(number: int) -> str:
    word = f"word {number}".encode()
    hashed = bcrypt.hashpw(word, salt)
    return f"{hashed.decode()} {bcrypt.checkpw(word, hashed)} {bcrypt.checkpw(word, kept)}"
