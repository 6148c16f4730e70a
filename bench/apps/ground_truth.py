"""A prefork program whose workers do one thing to what was loaded before the fork, and say where.

    python ground_truth.py DEED MIB WORKERS FOLDER

DEED is `read`, `collect`, `allocate`, `assign`, `mix`, `owners` or `tables`. Each worker writes
FOLDER/PID.truth when it has done it, and waits: a line `page causes` for each page that it has
written to, the address in hexadecimal and the causes that are right for it. The parent prints
`ready` when all have, and ends with its standard input.

Of the tables, which nothing but the modules that hold them tells apart, FOLDER/census says whose
they are; it is there from CPython 3.10 on. All else is the standard library only, for 3.9 to 3.15.
Objects are of 16 KiB populations of one kind each, so that a page has one kind of write.
"""

import array
import ctypes
import gc
import os
import sys
import types

PAGE = 4096
POOL = 16384 if sys.version_info >= (3, 10) else 4096
MIB = 1024 * 1024

# What an object of each kind takes, with all that it alone refers to: measured, roughly.
BYTES_OF_ROW = 112
BYTES_OF_DICT_ROW = 336


def planted_class(module_name, attributes=("number", "text", "flag", "other")):
    """A class with slots in a module of its own, which is importable by its name."""
    module = types.ModuleType(module_name)
    sys.modules[module_name] = module
    namespace = {"__slots__": attributes, "__module__": module_name}
    module.Row = type("Row", (), namespace)
    module.Row.__qualname__ = "Row"
    return module.Row


def rows_of(row_class, mib):
    """Instances with one string of their own each; their list is made first, in one piece."""
    count = mib * MIB // BYTES_OF_ROW
    rows = [None] * count
    for index in range(count):
        row = row_class()
        row.number = None
        row.text = f"text of row {index}"
        row.flag = True
        row.other = None
        rows[index] = row
    return rows


class Truth:
    """Pages that were written, with the causes that are right for each."""

    def __init__(self):
        # As src/forensics/pages/causes.ts has it: a page takes the most stubborn of its causes.
        self.pages = {}

    RANKS = ("identical", "gc-header", "refcount", "allocator", "payload")

    def wrote(self, address, cause, length=8):
        for page in range(address // PAGE, (address + length - 1) // PAGE + 1):
            known = self.pages.get(page)
            if known is None or self.RANKS.index(cause) > self.RANKS.index(known):
                self.pages[page] = cause

    def write(self, folder, either):
        path = os.path.join(folder, f"{os.getpid()}.truth")
        with open(path + ".new", "w") as file:
            for page, cause in sorted(self.pages.items()):
                file.write(f"{page * PAGE:x} {either.get(cause, cause)}\n")
        os.rename(path + ".new", path)


def address_of_items(items):
    """Where a list's pointers are: ob_item, after the count (Include/cpython/listobject.h)."""
    return ctypes.c_size_t.from_address(id(items) + 24).value


# The deeds. Each returns what must not be freed, and fills in the truth.


def read(heap, truth):
    """Every other 16 KiB of rows is held afterwards; the others are read and let go."""
    rows = heap["rows"]
    held = [None] * (2 * len(rows))
    kept = 0
    for row in rows:
        if id(row) // POOL % 2:
            held[kept] = row
            kept += 1
        if id(row.text) // POOL % 2:
            held[kept] = row.text
            kept += 1
    for row in rows:
        text = row.text
        for each in (row, text):
            truth.wrote(id(each), "refcount" if id(each) // POOL % 2 else "identical")
    return held


def collect(heap, truth):
    """Full collections, and nothing else."""
    for _ in range(3):
        gc.collect()
    for each in gc.get_objects():
        truth.wrote(id(each) - 16, "gc-header", 16)
    return


def allocate(heap, truth):
    """Fills the holes that the parent has left between its strings; frees half of that again."""
    count = heap["holes"]
    made = [None] * count
    addresses = array.array("Q", bytes(8 * count))
    for index in range(count):
        made[index] = f"hole {index:9}"
        addresses[index] = id(made[index])
    for index in range(0, count, 2):
        made[index] = None
    size = sys.getsizeof(f"hole {0:9}")
    for address in addresses:
        truth.wrote(address, "allocator", size)
        truth.wrote(address // POOL * POOL, "allocator", 48)
    return made


def assign(heap, truth):
    """To attributes of every row, and to items of lists. The values are there already."""
    rows, lists = heap["rows"], heap["lists"]
    for row in rows:
        row.other = True
    for items in lists:
        for index in range(0, len(items), 64):
            items[index] = True
    # By the descriptor, which knows where the slot is: slots are in the order of their names.
    offset = 16 + 8 * sorted(type(rows[0]).__slots__).index("other")
    for row in rows:
        truth.wrote(id(row) + offset, "payload")
        truth.wrote(id(row), "identical")
    for items in lists:
        start = address_of_items(items)
        for index in range(0, len(items), 64):
            truth.wrote(start + 8 * index, "payload")
    return


def mix(heap, truth):
    """Each in a part of the heap of its own: the collector sees only what was not frozen."""
    held = read_all(heap["read"], truth)
    collect(heap, truth)
    assign(heap, truth)
    return held, allocate(heap, truth)


def read_all(rows, truth):
    held = [None] * (2 * len(rows))
    for index, row in enumerate(rows):
        held[2 * index] = row
        held[2 * index + 1] = row.text
    for row in rows:
        truth.wrote(id(row), "refcount")
        truth.wrote(id(row.text), "refcount")
    return held


def owners(heap, truth):
    """Reads the rows of two modules; the first has 60% of them."""
    return [read_all(rows, truth) for rows in heap["owned"]]


def plant_table(module_name, mib):
    """Rows that are dicts, in a module of that name."""
    module = types.ModuleType(module_name)
    sys.modules[module_name] = module
    count = mib * MIB // BYTES_OF_DICT_ROW
    module.rows = [None] * count
    for index in range(count):
        module.rows[index] = {"number": None, "text": f"text of row {index}"}
    return module


def tables(heap, truth):
    """Assigns to an item of each row of two modules; the first has 60% of them."""
    for module in heap["tables"]:
        for row in module.rows:
            keys = ctypes.c_size_t.from_address(id(row) + 32).value
            size = dict.__sizeof__(row) - dict.__basicsize__
            words = (ctypes.c_size_t * (size // 8)).from_address(keys)
            slot = words[:].index(id(row["number"]))
            row["number"] = True
            truth.wrote(keys + 8 * slot, "payload")
            # Up to 3.13 a dict has a version, which each assignment changes (ma_version_tag).
            truth.wrote(id(row), "identical" if sys.version_info >= (3, 14) else "payload")


def write_census(folder):
    """By a child, as a server would."""
    pid = os.fork()
    if pid == 0:
        agent = os.path.join(os.path.dirname(__file__), "..", "..", "agent")
        sys.path.insert(0, os.path.abspath(agent))
        from cowherd_agent.census import census

        census.write_census(os.path.join(folder, "census"))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        sys.exit("the census has failed")


def make_holes(mib):
    """Strings of one size, of which every other one is freed again."""
    size = sys.getsizeof(f"hole {0:9}")
    count = mib * MIB // size
    made = [f"hole {index:9}" for index in range(count)]
    holes = 0
    for index in range(0, count, 2):
        made[index] = None
        holes += 1
    return made, holes


def load(deed, mib):
    heap = {}
    if deed == "mix":
        part = mib // 5
        heap["read"] = rows_of(planted_class("planted_read"), part)
        heap["rows"] = rows_of(planted_class("planted_assign"), part)
        heap["lists"] = [[None] * 4096 for _ in range(16 * part // 4)]
        heap["kept"], heap["holes"] = make_holes(part)
        gc.collect()
        gc.freeze()
        heap["collected"] = [[None] for _ in range(part * MIB // 80)]
        return heap
    if deed == "owners":
        heap["owned"] = [
            rows_of(planted_class("planted_large"), mib * 6 // 10),
            rows_of(planted_class("planted_small"), mib * 4 // 10),
        ]
    elif deed == "tables":
        heap["tables"] = [
            plant_table("planted_large", mib * 6 // 10),
            plant_table("planted_small", mib * 4 // 10),
        ]
    elif deed == "allocate":
        heap["kept"], heap["holes"] = make_holes(mib)
    elif deed == "assign":
        heap["rows"] = rows_of(planted_class("planted_rows"), mib * 3 // 4)
        heap["lists"] = [[None] * 4096 for _ in range(32 * mib // 4)]
    else:
        heap["rows"] = rows_of(planted_class("planted_rows"), mib)
    if deed != "collect":
        gc.collect()
        gc.freeze()
    return heap


DEEDS = {
    "read": read,
    "collect": collect,
    "allocate": allocate,
    "assign": assign,
    "mix": mix,
    "owners": owners,
    "tables": tables,
}

# The collector restores what it writes, but where lists of objects begin, end or move.
EITHER = {"gc-header": "gc-header,identical"}


def work(deed, heap, folder, done):
    truth = Truth()
    gc.disable()
    kept = DEEDS[deed](heap, truth)
    truth.write(folder, EITHER)
    os.write(done, b".")
    # Until the parent has gone: its end of this pipe is closed then.
    os.read(0, 1)
    del kept
    os._exit(0)


def main():
    deed, mib, workers, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    gc.disable()
    heap = load(deed, mib)
    if deed == "tables" and sys.version_info >= (3, 10):
        write_census(folder)
    reading, writing = os.pipe()
    for _ in range(workers):
        if os.fork() == 0:
            work(deed, heap, folder, writing)
    os.close(writing)
    for _ in range(workers):
        if not os.read(reading, 1):
            sys.exit("a worker has ended")
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


main()
