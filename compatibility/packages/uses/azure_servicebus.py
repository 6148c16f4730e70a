"""A client made at import; messages of AMQP."""

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.amqp import AmqpAnnotatedMessage

client = ServiceBusClient.from_connection_string(
    "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=herd;SharedAccessKey=a2V5"
)


def answer(number: int) -> str:
    message = ServiceBusMessage(
        f"number {number}", session_id=str(number), application_properties={"n": number}
    )
    raw = AmqpAnnotatedMessage(value_body={"number": number})
    sender = client.get_queue_sender(f"queue-{number}")
    values = message.session_id, message.application_properties, raw.body, sender.entity_name
    return f"{message} {values}"
