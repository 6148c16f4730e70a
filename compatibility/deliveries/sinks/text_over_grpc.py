"""A gRPC service whose calls answer with their message reversed: `text_over_grpc.py PORT FILE`."""

import sys
from concurrent import futures

import grpc
from notes import Notes

notes = Notes(sys.argv[2])


def reverse(text: bytes, context: grpc.ServicerContext) -> bytes:
    notes.add([text.decode()])
    return text[::-1]


server = grpc.server(futures.ThreadPoolExecutor(8))
handlers = {"Reverse": grpc.unary_unary_rpc_method_handler(reverse)}
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("deliveries.Text", handlers),)
)
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
