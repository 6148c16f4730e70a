"""Compression in one piece and in several."""

import brotli

kept = brotli.compress(b"made at import " * 100)


def answer(number: int) -> str:
    data = f"number {number} ".encode() * (number * 10 + 1)
    packed = brotli.compress(data, quality=5)
    compressor = brotli.Compressor(quality=3)
    pieces = compressor.process(data) + compressor.flush() + compressor.finish()
    same = brotli.decompress(packed) == data == brotli.decompress(pieces)
    return f"{number} {len(packed)} {len(pieces)} {same} {len(brotli.decompress(kept))}"
