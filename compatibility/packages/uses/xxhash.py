"""Digests, one of them begun at import."""

import xxhash

begun = xxhash.xxh3_128(b"at import")


def answer(number: int) -> str:
    digest = begun.copy()
    digest.update(f"number {number}".encode())
    return f"{digest.hexdigest()} {xxhash.xxh64_hexdigest(str(number).encode(), seed=number)}"
