"""A gRPC server that doubles its input."""

import sys
from concurrent import futures

import grpc


class Handler(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method == "/herd/Double":
            return grpc.unary_unary_rpc_method_handler(lambda data, context: data * 2)
        if details.method == "/herd/Count":
            return grpc.unary_stream_rpc_method_handler(
                lambda data, context: (bytes([n]) for n in data)
            )
        return None


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers([Handler()])
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
