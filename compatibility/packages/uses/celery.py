"""An application with tasks and a broker at import; tasks sent and run in each request."""

import os

from celery import Celery, chain, group
from celery.result import AsyncResult

address = f"redis://127.0.0.1:{os.environ['COWHERD_REDIS_PORT']}/1"
celery = Celery("herd", broker=address, backend=address)


@celery.task
def add(a: int, b: int) -> int:
    return a + b


@celery.task(bind=True, max_retries=1)
def fail(self, number: int) -> None:  # type: ignore[no-untyped-def]
    raise ValueError(number)


def answer(number: int) -> str:
    sent = add.apply_async((number, 1), task_id=f"task-{number}")
    state = AsyncResult(f"task-{number}", app=celery).state
    here = chain(add.s(number, 2), add.s(10)).apply().get()
    several = group(add.s(n, number) for n in range(3)).apply().get()
    failed = type(fail.apply((number,)).result).__name__
    return f"{sent.id} {state} {here} {several} {failed}"
