"""A session made at import, with its own thread pool; the model is made here too."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

graph = helper.make_graph(
    [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
        helper.make_node("Softmax", ["z"], ["out"]),
    ],
    "model",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64])],
    [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 8])],
    [
        helper.make_tensor(
            "w", TensorProto.FLOAT, [64, 8], (np.arange(512, dtype=np.float32) % 11 - 5) / 10
        )
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)


def answer(number: int) -> str:
    rows = (np.arange(64 * 32, dtype=np.float32).reshape(32, 64) + number) % 7
    (out,) = session.run(None, {"x": rows})
    row = out[number % 32].round(4).tolist()
    return f"{number} {out.shape} {np.argmax(out, axis=1).tolist()} {row}"
