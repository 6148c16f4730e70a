"""A prefork program whose workers do one thing to the preloaded heap, and record which pages.

    python ground_truth.py DEED MIB WORKERS FOLDER

DEED is `read`, `collect`, `allocate`, `assign`, `mix`, `owners` or `tables`. When a worker has done
its deed, it writes FOLDER/PID.truth and waits. The file has a line `page causes` for each page that
the worker wrote to: the address in hexadecimal, and the causes that are right for it. The parent
prints `ready` when all workers are done, and ends when its standard input closes.

Only the modules that hold the tables tell the tables apart. Needs the standard library only, for
3.9 to 3.15. Each 16 KiB hold objects of one kind, so that a page has one kind of write.
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

# Bytes per object of each kind, including all that only it refers to. Rough measurements.
BYTES_OF_ROW = 112
BYTES_OF_DICT_ROW = 336


def planted_class(module_name, attributes=("number", "text", "flag", "other")):
    """A class with slots, alone in a module that can be imported by name."""
    module = types.ModuleType(module_name)
    sys.modules[module_name] = module
    namespace = {"__slots__": attributes, "__module__": module_name}
    module.Row = type("Row", (), namespace)
    module.Row.__qualname__ = "Row"
    return module.Row


def rows_of(row_class, mib):
    """Instances, each with its own string. Their list is allocated first, in one piece."""
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
    """Pages that were written to, with the causes that are right for each."""

    def __init__(self):
        # Same rule as src/forensics/pages/causes.ts: a page has the most stubborn of its causes.
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
    """The address of a list's pointers: ob_item, after the count (Include/cpython/listobject.h)."""
    return ctypes.c_size_t.from_address(id(items) + 24).value


# The deeds. Each records the truth, and returns the objects that must not be freed.


def read(heap, truth):
    """Reads all rows. Keeps references to every other 16 KiB of them, and drops the others."""
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
    """Runs three full collections, nothing else."""
    for _ in range(3):
        gc.collect()
    for each in gc.get_objects():
        truth.wrote(id(each) - 16, "gc-header", 16)
    return


def allocate(heap, truth):
    """Fills the holes that the parent left between its strings, then frees half of the new ones."""
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
    """Assigns to attributes of every row and to items of lists. The values exist already."""
    rows, lists = heap["rows"], heap["lists"]
    for row in rows:
        row.other = True
    for items in lists:
        for index in range(0, len(items), 64):
            items[index] = True
    # The slot's offset follows from its name: slots are laid out in the order of their names.
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
    """Does each deed to its own part of the heap. The collector sees only unfrozen objects."""
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
    """Dict rows in a new module of that name."""
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
            # Up to 3.13 a dict has a version that each assignment changes (ma_version_tag).
            truth.wrote(id(row), "identical" if sys.version_info >= (3, 14) else "payload")


def make_holes(mib):
    """Allocates strings of one size and frees every other one again."""
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

# The collector restores what it writes, except where lists of objects begin, end or move.
EITHER = {"gc-header": "gc-header,identical"}


def work(deed, heap, folder, done):
    truth = Truth()
    gc.disable()
    kept = DEEDS[deed](heap, truth)
    truth.write(folder, EITHER)
    os.write(done, b".")
    # Returns when the parent has ended, which closes the other end of this pipe.
    os.read(0, 1)
    del kept
    os._exit(0)


def main():
    deed, mib, workers, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    gc.disable()
    heap = load(deed, mib)
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
