"""Producers made in workers, one of them kept.

A producer made at import has no threads in a worker, under any server: it sends nothing.
"""

import confluent_kafka
from confluent_kafka import Producer, TopicPartition

kept: list[Producer] = []


def answer(number: int) -> str:
    if not kept:
        kept.append(Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}))
    own = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    own.produce("herd", key=str(number), value=f"number {number}")
    waiting = len(own) > 0
    own.purge()
    own.poll(0)
    place = TopicPartition("herd", number, number * 2)
    error = confluent_kafka.KafkaError(number % 3 - 190).name()
    return f"{waiting} {place.topic} {place.partition} {place.offset} {error}"
