"""ExecuTorch on XNNPACK: 4-bit weights in groups of 32, 8-bit activations, 8-bit embedding and output."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

_CHANNEL = (
    Stored(name="weight", bits=8, per="number"),
    Stored(name="scales", bits=32, per="row"),
)

SCHEME = Scheme(
    name="8da4w",
    summary="4-bit integer, a 32-bit scale for 32, 8-bit activations; embedding and output 8-bit (ExecuTorch)",
    weight_bits=4,
    group=32,
    scale_bits=32,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=4, per="number"),
        Stored(name="scales", bits=32, per="group"),
    ),
    others={"embedding": _CHANNEL, "output": _CHANNEL},
    unties=True,
    whole=32,
    support=(
        on.native("executorch", "cpu", on.EXECUTORCH, "XNNPACK, activations quantized a token"),
        *on.never("vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "onnxruntime", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="ExecuTorch examples/models/llama/README.md @ 00748569: --preq_mode 8da4w_output_8da8w, group 32",
    aliases=("8da4w", "xnnpack", "8da4w output 8da8w", "spinquant"),
)
