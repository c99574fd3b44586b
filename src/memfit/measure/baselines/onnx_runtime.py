"""ONNX Runtime."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="ONNX Runtime",
    module="onnxruntime",
    distribution="onnxruntime",
    # the model is one Identity of one number, written out as the protobuf it is: ir_version 8, opset 13
    statement="""
import onnxruntime
def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data
def value(name):
    return field(1, name) + field(2, field(1, b"\\x08\\x01" + field(2, field(1, b"\\x08\\x01"))))
node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
graph = field(1, node) + field(2, b"g") + field(11, value(b"x")) + field(12, value(b"y"))
model = b"\\x08\\x08" + field(7, graph) + field(8, b"\\x10\\x0d")
session = onnxruntime.InferenceSession(model, providers=onnxruntime.get_available_providers())
""",
    brings_up="a session of one Identity node on all providers it was built with",
    summary="Microsoft's runtime for ONNX models",
    documented_low_bytes=100_000_000,
    documented_high_bytes=300_000_000,
    note="the document's figure depends on the providers",
    aliases=("ort", "onnx"),
)
