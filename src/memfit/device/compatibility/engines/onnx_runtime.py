"""ONNX Runtime with its CUDA and TensorRT providers."""

from memfit.device.compatibility.engines._support import CONTAINERS, Rule, Support

_FILE = f"{CONTAINERS} packages/ml/onnxruntime/config.py (017b81b5)"

SUPPORT = Support(
    engine="ONNX Runtime",
    rules=(
        Rule(
            since="36.4",
            before="38.0",
            runs=True,
            minimum_version="1.19.2",
            reason="a build for CUDA 12.4 or newer",
            source=_FILE,
        ),
        Rule(
            since="36.0", before="36.4", runs=True, minimum_version="1.17", reason="a build for CUDA 12.2", source=_FILE
        ),
        Rule(
            since="35.0",
            before="36.0",
            runs=True,
            minimum_version="1.16.3",
            reason="a build for CUDA 11.4",
            source=_FILE,
        ),
        Rule(
            since="32.0", before="33.0", runs=True, minimum_version="1.11", reason="a build for CUDA 10.2", source=_FILE
        ),
    ),
)
