"""Parsers of output of the kernel and the interpreter."""

from __future__ import annotations

import pytest
from cowherd_agent.heap import seal
from cowherd_agent.interpreter import rollup

ROLLUP = """\
55d0c6bf5000-7ffe2c5f7000 ---p 00000000 00:00 0                          [rollup]
Rss:               80192 kB
Pss:               43000 kB
Pss_Dirty:         40000 kB
Shared_Clean:       3000 kB
Shared_Dirty:      70708 kB
Private_Clean:         0 kB
Private_Dirty:       600 kB
Anonymous:         71308 kB
KSM:                   0 kB
Locked:                0 kB
"""

SMAPS = """\
55d0c6bf5000-55d0c6c00000 rw-p 00000000 00:00 0                          [heap]
Shared_Clean:          8 kB
Shared_Dirty:        100 kB
VmFlags: rd wr mr
7f0000000000-7f0000100000 r--p 00001000 08:01 4711                       /usr/lib/libnew.so
Shared_Clean:        500 kB
Shared_Dirty:        700 kB
7f1000000000-7f1000100000 rw-p 00000000 00:00 0
Shared_Clean:          0 kB
Shared_Dirty:         40 kB
"""

STATS = """\
Small block threshold = 512, in 32 size classes.

class   size   num pools   blocks in use  avail blocks
-----   ----   ---------   -------------  ------------
    0     16           1              69           952
    1     32           2             796           224
   31    512           2              31            31

# arenas allocated total           =                    2
2 arenas * 1048576 bytes/arena     =            2,097,152

# bytes in allocated blocks        =            1,511,248
15 unused pools * 16384 bytes      =              245,760
            9 free PyDictObjects * 48 bytes each =                  432
"""


def test_rollup() -> None:
    found = rollup.parse(ROLLUP)
    assert found.shared_dirty_bytes == 70708 * 1024
    assert found.anonymous_bytes == 71308 * 1024
    assert found.rss_bytes == 80192 * 1024


def test_smaps_are_summed() -> None:
    assert rollup.parse(ROLLUP + ROLLUP).anonymous_bytes == 2 * 71308 * 1024


def test_shared_memory_is_that_without_a_file() -> None:
    assert rollup.parse_shared_anonymous(SMAPS) == 148 * 1024


def test_a_text_without_the_fields() -> None:
    with pytest.raises(KeyError):
        rollup.parse("Rss: 1 kB\n")


def test_malloc_stats() -> None:
    found = seal.parse(STATS)
    assert found is not None
    assert found.classes[0] == seal.SizeClass(block_bytes=16, pools=1, used=69, free=952)
    assert len(found.classes) == 3
    assert (found.free_pools, found.pool_bytes) == (15, 16384)
    assert found.free_block_bytes == 16 * 952 + 32 * 224 + 512 * 31


def test_another_allocator() -> None:
    assert seal.parse("") is None


def test_this_process_has_them() -> None:
    assert rollup.read() is not None
    assert rollup.shared_anonymous_bytes() is not None
    stats = seal.read_stats()
    assert stats is not None
    assert len(stats.classes) == 32
