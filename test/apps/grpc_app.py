"""gRPC: the mold makes handlers and credentials; each worker has its own server, and calls it."""

from __future__ import annotations

import ssl
import threading
from concurrent import futures

import grpc
from checked import application

# Made before the fork: objects that applications have as globals, but no connection.
credentials = grpc.ssl_channel_credentials()
handlers = {
    f"/herd/Method{number}": grpc.unary_unary_rpc_method_handler(
        lambda data, context, number=number: data * 2 + str(number).encode()
    )
    for number in range(3_000)
}
handlers["/herd/Count"] = grpc.unary_stream_rpc_method_handler(
    lambda data, context: (bytes([each]) for each in data)
)
metadata = [(f"key{number}", f"value {number}") for number in range(2_000)]
context = ssl.create_default_context()


class Handler(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return handlers.get(details.method)


class Peer:
    """A server and a channel to it, made at the worker's first request."""

    def __init__(self) -> None:
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([Handler()])
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.calls = 0

    def call(self) -> bool:
        self.calls += 1
        number = self.calls % 3_000
        call = self.channel.unary_unary(f"/herd/Method{number}")
        doubled = call(b"ab", timeout=60, metadata=metadata[:20])
        counted = self.channel.unary_stream("/herd/Count")(bytes(range(40)), timeout=60)
        try:
            self.channel.unary_unary("/herd/Missing")(b"", timeout=60)
            code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            code = error.code()
        return (
            doubled == b"abab" + str(number).encode()
            and b"".join(counted) == bytes(range(40))
            and code is grpc.StatusCode.UNIMPLEMENTED
        )


lock = threading.Lock()
peer: Peer | None = None


def read() -> bool:
    global peer
    with lock:
        peer = peer or Peer()
    return peer.call()


def change() -> bool:
    """Replaces some of the mold's handlers."""
    for number in range(0, 3_000, 100):
        old = handlers[f"/herd/Method{number}"]
        handlers[f"/herd/Method{number}"] = grpc.unary_unary_rpc_method_handler(old.unary_unary)
    return read()


def free() -> bool:
    """Makes and closes a channel with the mold's credentials. It never connects."""
    with grpc.secure_channel("127.0.0.1:9", credentials) as channel:
        try:
            channel.unary_unary("/herd/Method1")(b"", timeout=0.01)
        except grpc.RpcError:
            return read()
    return False


app = application(read=read, change=change, free=free)
