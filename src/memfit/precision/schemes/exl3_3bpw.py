"""ExLlamaV3 at three bits a weight: trellis codes, signs and scales of rows and columns."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="EXL3 3.0bpw",
    summary="3-bit trellis codes, a 16-bit scale a row and a column; 6-bit output",
    weight_bits=3,
    scale_bits=16,
    tensors=(
        Stored(name="trellis", bits=3, per="number"),
        Stored(name="suh", bits=16, per="column"),
        Stored(name="svh", bits=16, per="row"),
        Stored(name="mcg", bits=32, per="matrix"),
    ),
    others={
        "output": (
            Stored(name="trellis", bits=6, per="number"),
            Stored(name="suh", bits=16, per="column"),
            Stored(name="svh", bits=16, per="row"),
            Stored(name="mcg", bits=32, per="matrix"),
        )
    },
    whole=128,
    unties=True,
    quant_methods=("exl3",),
    support=(
        on.weight_only("pytorch", "8.0", on.EXL3, "ExLlamaV3's kernels", unknown=True),
        *on.never(
            "vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"
        ),
        *on.GGUF_ONLY,
    ),
    source="exllamav3 modules/quant/exl3.py @ 0c647502: int16 trellis (K / 16, N / 16, 16 x bits), suh (K), svh (N)",
    aliases=("exl3", "exl3 3 0bpw", "exl 3bit", "exl"),
)
