"""A connection, an exchange and a queue made at import, over Redis."""

import os

from kombu import Connection, Exchange, Queue

exchange = Exchange("herd", type="direct")
address = f"redis://127.0.0.1:{os.environ['COWHERD_REDIS_PORT']}/2"


def answer(number: int) -> str:
    queue = Queue(f"kombu-{number}", exchange, routing_key=f"key-{number}")
    with Connection(address) as connection:
        producer = connection.Producer()
        producer.publish(
            {"number": number}, exchange=exchange, routing_key=f"key-{number}", declare=[queue]
        )
        message = queue(connection.default_channel).get(no_ack=True)
    return f"{message.payload} {message.delivery_info['routing_key']}"
