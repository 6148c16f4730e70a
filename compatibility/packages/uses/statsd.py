"""A client made at import, whose datagrams have no receiver."""

import statsd

client = statsd.StatsClient("127.0.0.1", 9, prefix="herd")
client.incr("loaded")


def answer(number: int) -> str:
    with client.pipeline() as pipeline:
        pipeline.incr("requests", number)
        pipeline.gauge("size", number * 2)
        with pipeline.timer("time") as timer:
            pass
        lines = [line for line in pipeline._stats if "|ms" not in line]
    return f"{lines} {timer.ms >= 0}"
