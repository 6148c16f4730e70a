"""A collector of OpenTelemetry that speaks OTLP over gRPC: `otlp_grpc.py PORT FILE`."""

import sys
from concurrent import futures

import grpc
from notes import Notes
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_service
from span_keys import keys_of

notes = Notes(sys.argv[2])


class Traces(trace_service.TraceServiceServicer):
    def Export(
        self, request: trace.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace.ExportTraceServiceResponse:
        notes.add(keys_of(request))
        return trace.ExportTraceServiceResponse()


class Metrics(metrics_service.MetricsServiceServicer):
    """Accepts metrics without counting them."""

    def Export(
        self, request: metrics.ExportMetricsServiceRequest, context: grpc.ServicerContext
    ) -> metrics.ExportMetricsServiceResponse:
        return metrics.ExportMetricsServiceResponse()


class Logs(logs_service.LogsServiceServicer):
    """Accepts log records without counting them."""

    def Export(
        self, request: logs.ExportLogsServiceRequest, context: grpc.ServicerContext
    ) -> logs.ExportLogsServiceResponse:
        return logs.ExportLogsServiceResponse()


server = grpc.server(futures.ThreadPoolExecutor(8))
trace_service.add_TraceServiceServicer_to_server(Traces(), server)
metrics_service.add_MetricsServiceServicer_to_server(Metrics(), server)
logs_service.add_LogsServiceServicer_to_server(Logs(), server)
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
