"""Which objects a walk has met, in little memory.

One bit for each 16 bytes of memory, 1/128 of the heap. No two objects begin within the same 16
bytes, since each has a reference count and a type (Include/object.h). A set of their ids would be
as large as the objects themselves.

The bits are kept by regions of the address space; a process has memory in few of them. Bits that
are never set cost nothing, since the kernel gives pages of zeros on the first write.
"""

from __future__ import annotations

from collections.abc import Iterable

# A region has 128 MiB of addresses and 1 MiB of bits, so large that calloc(3) asks the kernel for
# it.
_REGION_SHIFT = 27
_REGION_BYTES = 1 << (_REGION_SHIFT - 7)
_PLACE_MASK = _REGION_BYTES - 1
_BITS = (1, 2, 4, 8, 16, 32, 64, 128)


class _Regions(dict[int, bytearray]):
    def __missing__(self, number: int) -> bytearray:
        region = self[number] = bytearray(_REGION_BYTES)
        return region


class Visited:
    def __init__(self) -> None:
        self._regions = _Regions()

    def unmet(self, objects: Iterable[object]) -> list[object]:
        """Returns the objects that were not met before, each once, and marks them as met."""
        regions, bits = self._regions, _BITS
        found: list[object] = []
        append = found.append
        for item in objects:
            address = id(item)
            region = regions[address >> _REGION_SHIFT]
            place = address >> 7 & _PLACE_MASK
            byte = region[place]
            bit = bits[address >> 4 & 7]
            if not byte & bit:
                region[place] = byte | bit
                append(item)
        return found
