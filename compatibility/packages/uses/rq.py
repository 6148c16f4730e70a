"""A queue made at import; jobs put into it and fetched."""

import os

from redis import Redis
from rq import Queue
from rq.job import Job

connection = Redis(port=int(os.environ["COWHERD_REDIS_PORT"]), db=3)
queue = Queue("herd", connection=connection)


def answer(number: int) -> str:
    job = queue.enqueue("math.sqrt", number, result_ttl=10)
    back = Job.fetch(job.id, connection=connection)
    result = f"{back.func_name} {back.args} {back.get_status(refresh=True).value}"
    back.delete()
    return result
