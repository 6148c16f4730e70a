"""The deliveries that a sink has received: a file with the key of each one on a line."""

import threading
from collections.abc import Iterable


class Notes:
    def __init__(self, path: str) -> None:
        # Buffered by line, so that readers of the file see every note at once.
        self._file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._lock = threading.Lock()

    def add(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._file.write(f"{key}\n")
