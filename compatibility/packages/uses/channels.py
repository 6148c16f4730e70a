"""Django with channels: a consumer and a layer in memory, under an ASGI worker."""

import os

from channels.generic.http import AsyncHttpConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    SECRET_KEY="not a secret",
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)

import django  # noqa: E402

django.setup()

from django.urls import path  # noqa: E402


class Answer(AsyncHttpConsumer):
    async def handle(self, body: bytes) -> None:
        number = self.scope["url_route"]["kwargs"]["number"]
        layer = get_channel_layer()
        await layer.send(f"c{os.getpid()}-{number}", {"type": "x", "number": number})
        message = await layer.receive(f"c{os.getpid()}-{number}")
        await self.send_response(
            200,
            f"{message}".encode(),
            headers=[(b"content-length", str(len(str(message))).encode())],
        )


app = ProtocolTypeRouter({"http": URLRouter([path("<int:number>", Answer.as_asgi())])})
