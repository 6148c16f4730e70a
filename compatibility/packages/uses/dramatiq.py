"""Actors made at import, with a Redis broker."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=f"redis://127.0.0.1:{os.environ['COWHERD_REDIS_PORT']}/4")
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=2)
def double(number: int) -> int:
    return number * 2


def answer(number: int) -> str:
    message = double.message_with_options(args=(number,), delay=1000 * number)
    sent = double.send(number)
    later = message.options.get("eta") is not None
    return f"{message.args} {later} {sent.actor_name} {double(number)}"
