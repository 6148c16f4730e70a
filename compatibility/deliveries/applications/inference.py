"""onnxruntime: a session with four threads, run while the application loads and in each request.

The model multiplies rows that hold the request's number with a matrix of ones. So each result is
exactly the number times the length of a row (all sums are below 2**24).
"""

import numpy as np
import onnx
import onnxruntime
from counted import count
from flask import Flask, request
from onnx import TensorProto, helper

WIDTH = 256
ROWS = 512


def _model() -> bytes:
    ones = np.ones((WIDTH, WIDTH), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "ones"], ["sums"])],
        "sums",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [ROWS, WIDTH])],
        [helper.make_tensor_value_info("sums", TensorProto.FLOAT, [ROWS, WIDTH])],
        [helper.make_tensor("ones", TensorProto.FLOAT, [WIDTH, WIDTH], ones.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _run(number: int) -> str:
    rows = np.full((ROWS, WIDTH), number, dtype=np.float32)
    (sums,) = session.run(None, {"rows": rows})
    if sums.min() != sums.max():
        return f"from {sums.min()} to {sums.max()}"
    return str(int(sums[0, 0]))


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 4
session = onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])
if _run(1) == str(WIDTH):
    count("import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    number = request.args["number"]
    answer = _run(int(number))
    count(number)
    return answer
