"""A hasher made at import; its bindings are made by cffi in API mode."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=2)
kept = hasher.hash("word 7")


def answer(number: int) -> str:
    raw = hash_secret_raw(f"{number}".encode(), b"saltsalt", 1, 64, 2, 16, Type.ID)
    try:
        right = hasher.verify(kept, f"word {number}")
    except VerifyMismatchError:
        right = False
    return f"{raw.hex()} {right} {hasher.check_needs_rehash(kept)}"
