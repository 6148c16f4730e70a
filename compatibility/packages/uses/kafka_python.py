"""Serializing and partitioning, and a producer that finds no broker."""

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

settings = {"bootstrap_servers": "127.0.0.1:1", "api_version_auto_timeout_ms": 30}


def answer(number: int) -> str:
    try:
        KafkaProducer(**settings, request_timeout_ms=100)
        error = "none"
    except (KafkaError, OSError, ValueError) as failure:
        error = "failed" if failure else ""
    place = TopicPartition("herd", number)
    return f"{number} {murmur2(f'key {number}'.encode()) % 12} {place} {error}"
