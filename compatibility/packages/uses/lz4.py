"""Frames and blocks."""

import lz4.block
import lz4.frame

kept = lz4.frame.compress(b"made at import " * 100)


def answer(number: int) -> str:
    data = f"number {number} ".encode() * (number * 10 + 1)
    packed = lz4.frame.compress(data, store_size=True, content_checksum=True)
    small = lz4.block.compress(data, mode="high_compression")
    same = lz4.frame.decompress(packed) == data and lz4.block.decompress(small) == data
    return f"{number} {len(packed)} {len(small)} {same} {len(lz4.frame.decompress(kept))}"
