"""A publisher made at import, whose gRPC channel has no server; messages and their batches."""

import os

os.environ["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:1"

from google.cloud import pubsub_v1
from google.pubsub_v1.types import PubsubMessage, Subscription

publisher = pubsub_v1.PublisherClient()


def answer(number: int) -> str:
    topic = publisher.topic_path("herd", f"topic-{number}")
    message = PubsubMessage(data=f"number {number}".encode(), attributes={"n": str(number)})
    data = PubsubMessage.serialize(message)
    subscription = Subscription(name=f"s{number}", topic=topic, ack_deadline_seconds=number)
    return f"{topic} {data.hex()} {Subscription.to_json(subscription, indent=None)[:200]}"
