"""Frames of AMQP, and a connection that finds no broker."""

import pika
from pika.exceptions import AMQPConnectionError

parameters = pika.ConnectionParameters("127.0.0.1", 1, connection_attempts=1)


def answer(number: int) -> str:
    properties = pika.BasicProperties(
        content_type="text/plain", priority=number, headers={"n": number}
    )
    encoded = b"".join(properties.encode())
    try:
        pika.BlockingConnection(parameters)
        error = "none"
    except AMQPConnectionError as failure:
        error = type(failure).__name__
    return f"{encoded.hex()} {error} {properties.priority}"
