"""A dictionary trained at import; streams and threads."""

import zstandard

samples = [f"sample {n} of the herd, worker {n % 7}, request {n * 31}".encode() for n in range(500)]
dictionary = zstandard.train_dictionary(4096, samples)
compressor = zstandard.ZstdCompressor(level=5, dict_data=dictionary)


def answer(number: int) -> str:
    data = f"sample {number} of the herd, worker {number % 7}".encode() * (number + 1)
    packed = compressor.compress(data)
    back = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(packed)
    threaded = zstandard.ZstdCompressor(threads=2).compress(data * 1000)
    return f"{number} {len(packed)} {back == data} {len(zstandard.decompress(threaded))}"
