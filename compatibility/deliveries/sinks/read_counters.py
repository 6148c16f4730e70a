"""Prints the key of each delivery, as many times as all processes together have counted it:
`read_counters.py`, with PROMETHEUS_MULTIPROC_DIR."""

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

registry = CollectorRegistry()
MultiProcessCollector(registry)
for metric in registry.collect():
    for sample in metric.samples:
        for _ in range(round(sample.value)):
            print(sample.labels["key"])
