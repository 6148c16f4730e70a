"""Everything patched at import, as a gevent application does; greenlets in each request."""

from gevent import monkey

monkey.patch_all()

import queue  # noqa: E402
import socket  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402

lock = threading.RLock()
local = threading.local()


def square(number: int) -> int:
    gevent.sleep(0.001)
    with lock:
        return number * number


def answer(number: int) -> str:
    squares = Pool(5).map(square, range(number % 10 + 1))
    a, b = socket.socketpair()
    waiter: queue.Queue[bytes] = queue.Queue()
    thread = threading.Thread(target=lambda: waiter.put(b.recv(100)))
    thread.start()
    a.send(f"number {number}".encode())
    thread.join()
    a.close()
    b.close()
    local.number = number
    return f"{squares} {waiter.get().decode()} {local.number} {threading.active_count() > 0}"
