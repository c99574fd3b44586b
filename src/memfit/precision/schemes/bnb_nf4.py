"""bitsandbytes NF4 with scales quantized a second time."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="bitsandbytes NF4",
    summary="4-bit normal float, an 8-bit scale for 64, a 32-bit scale for 256 of those",
    weight_bits=4,
    scale_bits=8,
    tensors=(
        Stored(name="weight", bits=4, per="number"),
        Stored(name="weight.absmax", bits=8 / 64, per="number"),
        Stored(name="weight.nested_absmax", bits=32 / 64 / 256, per="number"),
        # tables of 256 and 16 floats; the JSON text of quant_state, some 170 bytes, is left out
        Stored(name="weight.nested_quant_map", bits=32 * 256, per="matrix"),
        Stored(name="weight.quant_map", bits=32 * 16, per="matrix"),
    ),
    quant_methods=("bitsandbytes", "bitsandbytes_4bit"),
    support=(
        on.weight_only("vllm", "7.0", on.VLLM_BNB),
        on.weight_only("sglang", "7.5", on.SGLANG, unknown=True),
        on.weight_only("pytorch", "6.0", on.BNB),
        *on.never("tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="bitsandbytes functional.py, QuantState.as_dict(packed=True): blocks of 64, nested blocks of 256",
    aliases=("bitsandbytes NF4", "nf4", "bnb 4bit", "bitsandbytes", "bnb"),
)
