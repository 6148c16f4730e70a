"""A C library opened at import in ABI mode, with a callback and its own memory."""

import cffi

ffi = cffi.FFI()
ffi.cdef(
    """
    size_t strlen(const char *text);
    void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
    typedef struct { int number; double half; } pair_t;
    """
)
libc = ffi.dlopen(None)


@ffi.callback("int(const void *, const void *)")
def compare(a, b):  # type: ignore[no-untyped-def]
    return ffi.cast("int *", a)[0] - ffi.cast("int *", b)[0]


def answer(number: int) -> str:
    numbers = ffi.new("int[]", [number, 3, 50 - number, 7])
    libc.qsort(numbers, 4, ffi.sizeof("int"), compare)
    pair = ffi.new("pair_t *", {"number": number, "half": number / 2})
    return f"{list(numbers)} {libc.strlen(b'x' * number)} {pair.number} {pair.half}"
