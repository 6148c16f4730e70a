"""This process and its machine."""

import psutil

made_at_import = psutil.Process()


def answer(number: int) -> str:
    here = psutil.Process()
    memory = here.memory_info().rss > 0
    known = here.pid in psutil.pids()
    parents = len(here.parents()) > 0
    return f"{number} {memory} {known} {parents} {psutil.cpu_count() > 0} {here.is_running()}"
