"""Becomes another user, irrevocably, and runs the lines on its standard input.

``user.py UID FACTS``: the facts are JSON, and become names for the lines. Every module that the
lines may need is imported first, since that user may not be able to read the interpreter's folder.
"""

import base64  # noqa: F401
import contextlib
import ctypes
import encodings.idna  # noqa: F401
import gc  # noqa: F401
import json
import mmap
import os
import shutil  # noqa: F401
import signal
import socket
import stat  # noqa: F401
import sys
import threading
import time
import zlib  # noqa: F401

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


def become(uid):
    """Becomes a user as if logged in: no groups of root, no way back, its own files in /proc."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _libc.prctl(_PR_SET_DUMPABLE, 1)
    os.umask(0o022)


def tell(*words):
    print(*words, flush=True)


def listen(path, answer):
    """Calls ``answer`` for each visitor of a socket, and counts them in ``visitors``."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    os.chmod(path, 0o777)
    listening.listen(64)

    def each(connection):
        with contextlib.suppress(OSError), connection:
            answer(connection)

    def serve():
        while True:
            connection, _ = listening.accept()
            visitors.append(path)
            threading.Thread(target=each, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


visitors = []


def one_line(text, stays=False):
    """Answers the first request with a line; with ``stays``, keeps reading later requests."""

    def answer(connection):
        connection.recv(65536)
        connection.sendall(text.encode("utf-8", "surrogatepass") + b"\n")
        while connection.recv(65536) and stays:
            pass

    return answer


def endless(connection):
    """Answers with an endless line, and reports how many bytes were read."""
    connection.recv(65536)
    taken = 0
    with contextlib.suppress(OSError):
        while True:
            taken += connection.send(b"x" * 65536)
    tell("taken", taken)


def dripping(connection):
    connection.recv(65536)
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def silent(connection):
    connection.recv(65536)
    time.sleep(1000)


LINKED = (".cowherd", ".cowherd.new", "herd.json", "herd.json.new", "census-1", "control.sock")


def exchange(folder, target, seconds=60.0):
    """Replaces everything made in ``folder`` by a folder of this user with links in it."""
    until = time.monotonic() + seconds
    taken = 0
    while time.monotonic() < until:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if name.startswith("taken-") or os.lstat(path).st_uid == os.getuid():
                    continue
                os.rename(path, os.path.join(folder, f"taken-{taken}"))
                taken += 1
                os.mkdir(path)
                os.chmod(path, 0o777)
                for each in LINKED:
                    os.symlink(target, os.path.join(path, each))
        time.sleep(0.001)


def mapped_file(path, pages=64):
    """Makes a file and maps it privately."""
    with open(path, "wb") as file:
        file.truncate(pages * mmap.PAGESIZE)
    with open(path, "r+b") as file:
        return mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE)


def write_all(mapping, byte):
    for start in range(0, len(mapping), mmap.PAGESIZE):
        mapping[start] = byte


def reserve(size_bytes):
    """Reserves address space without memory, as some allocators do. It is too large to be read."""
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
    address = _libc.mmap(None, size_bytes, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    return address


PAGES = 8000


def family(mappings=(), name=None):
    """A server for `cowherd why` to look at: a process, and a fork of it that copies pages."""
    if name is not None:
        _libc.prctl(_PR_SET_NAME, name.encode())
    slowly = mmap.mmap(-1, PAGES * mmap.PAGESIZE, mmap.MAP_PRIVATE)
    for mapping in (*mappings, slowly):
        write_all(mapping, 1)
    child = os.fork()
    if child == 0:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for mapping in mappings:
            write_all(mapping, 2)
        # Copies a few pages all the time, for `cowherd record`.
        for page in range(PAGES):
            slowly[page * mmap.PAGESIZE] = 2
            if page % 10 == 0:
                time.sleep(0.01)
        time.sleep(1000)
        os._exit(0)
    tell(json.dumps({"parent": os.getpid(), "child": child}))
    os.waitpid(child, 0)


def main():
    uid, facts = int(sys.argv[1]), json.loads(sys.argv[2])
    lines = sys.stdin.buffer.read()
    become(uid)
    exec(compile(lines, "attack", "exec"), {**globals(), **facts})


if __name__ == "__main__":
    main()
