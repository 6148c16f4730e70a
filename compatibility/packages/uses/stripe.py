"""A client made at import for a local server; signatures of its webhooks."""

import hashlib
import hmac
import os

import stripe

client = stripe.StripeClient(
    "sk_test_x",
    base_addresses={"api": f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}"},
    max_network_retries=0,
)


def answer(number: int) -> str:
    found = client.v1.customers.retrieve(f"cus_{number}")
    text = f'{{"object": "event", "id": "evt_{number}"}}'
    mac = hmac.new(b"secret", f"1.{text}".encode(), hashlib.sha256).hexdigest()
    event = stripe.Webhook.construct_event(text, f"t=1,v1={mac}", "secret", tolerance=10**11)
    return f"{found['path']} {event['id']} {found['method']}"
