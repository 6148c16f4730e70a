"""A DogStatsd client made at import, with buffering and its thread."""

from datadog import initialize, statsd

initialize(statsd_host="127.0.0.1", statsd_port=9, statsd_disable_buffering=False)
statsd.increment("loaded")


def answer(number: int) -> str:
    statsd.increment("requests", tags=[f"number:{number}"])
    statsd.gauge("size", number)
    with statsd.timed("time") as timer:
        pass
    text = statsd._serialize_metric("requests", "c", number, [f"number:{number}"])
    return f"{text} {timer.elapsed >= 0}"
