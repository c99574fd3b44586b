"""TensorRT."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="TensorRT",
    module="tensorrt",
    distribution="tensorrt",
    statement="""
import tensorrt
runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.ERROR))
""",
    brings_up="a runtime, which makes a CUDA context, and no engine",
    summary="NVIDIA's runtime for compiled networks",
    note="the document's row is TensorRT-LLM; memory on the GPU's side is in no PSS",
    aliases=("trt",),
)
