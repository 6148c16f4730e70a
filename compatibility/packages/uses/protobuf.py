"""A message type made at import from a descriptor, in upb's own memory."""

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)

file = descriptor_pb2.FileDescriptorProto(name="herd.proto", package="herd", syntax="proto3")
worker = file.message_type.add(name="Worker")
worker.field.add(name="slot", number=1, type=5, label=1)
worker.field.add(name="words", number=2, type=9, label=3)
pool = descriptor_pool.Default()
pool.Add(file)
Worker = message_factory.GetMessageClass(pool.FindMessageTypeByName("herd.Worker"))


def answer(number: int) -> str:
    message = Worker(slot=number, words=["a", f"b{number}"])
    data = message.SerializeToString(deterministic=True)
    back = Worker.FromString(data)
    struct = struct_pb2.Struct()
    struct.update({"number": number, "list": [1, "two", None]})
    stamp = timestamp_pb2.Timestamp(seconds=number)
    shown = json_format.MessageToJson(struct, sort_keys=True)
    return f"{data.hex()} {back == message} {shown} {stamp.ToJsonString()}"
