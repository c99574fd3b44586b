"""4-bit integers of compressed-tensors: groups of 128, symmetric."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="compressed-tensors W4A16",
    summary="4-bit integer, a 16-bit scale for 128, symmetric",
    weight_bits=4,
    group=128,
    scale_bits=16,
    tensors=(
        Stored(name="weight_packed", bits=4, per="number", packed="inputs"),
        Stored(name="weight_scale", bits=16, per="group"),
        Stored(name="weight_shape", bits=128, per="matrix"),
    ),
    whole=128,
    quant_methods=("compressed-tensors",),
    support=(
        on.weight_only("vllm", "8.0", on.VLLM_WNA16, "Marlin", unknown=True),
        on.weight_only("sglang", "7.5", on.SGLANG, unknown=True),
        *on.never("mlc", "executorch", "ctranslate2", "onnxruntime"),
        *on.GGUF_ONLY,
    ),
    source="vLLM compressed_tensors_wNa16.py @ 02637af7, create_weights; weight_shape is two INT64",
    aliases=("compressed-tensors W4A16", "compressed tensors", "pack quantized", "w4a16 compressed tensors"),
)
