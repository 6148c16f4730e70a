"""An observer of a folder, started at import with its threads, as a server in development does."""

import os
import threading

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.utils.dirsnapshot import DirectorySnapshot, DirectorySnapshotDiff

folder = os.environ["COWHERD_SCRATCH"]


class Handler(FileSystemEventHandler):
    def on_any_event(self, event: FileSystemEvent) -> None:
        pass


observer = Observer()
observer.schedule(Handler(), folder)
observer.start()


def answer(number: int) -> str:
    place = os.path.join(folder, f"{os.getpid()}-{threading.get_ident()}-{number}")
    os.makedirs(place, exist_ok=True)
    before = DirectorySnapshot(place)
    name = os.path.join(place, f"file-{number}")
    with open(name, "w") as file:
        file.write("x")
    difference = DirectorySnapshotDiff(before, DirectorySnapshot(place))
    made = [os.path.basename(each) for each in difference.files_created]
    os.remove(name)
    os.rmdir(place)
    return f"{number} {made}"
