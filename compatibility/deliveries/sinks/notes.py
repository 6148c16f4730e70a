"""What a sink has received: a file with a line for each delivery, its key."""

import threading
from collections.abc import Iterable


class Notes:
    def __init__(self, path: str) -> None:
        # Line by line, so that what is noted is there for who reads the file.
        self._file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._lock = threading.Lock()

    def add(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._file.write(f"{key}\n")
