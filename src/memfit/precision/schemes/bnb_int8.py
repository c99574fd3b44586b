"""bitsandbytes LLM.int8(): 8-bit integers, one scale a row, outliers computed in 16 bits."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="bitsandbytes INT8",
    summary="8-bit integer, one 32-bit scale a row, outliers in 16 bits",
    weight_bits=8,
    scale_bits=32,
    activation_bits=8,
    tensors=(
        Stored(name="weight", bits=8, per="number"),
        Stored(name="SCB", bits=32, per="row"),
        Stored(name="weight_format", bits=8, per="matrix"),
    ),
    quant_methods=("bitsandbytes", "bitsandbytes_8bit"),
    support=(
        on.native("vllm", "7.5", on.BNB, "LLM.int8()"),
        on.native("pytorch", "7.5", on.BNB, "LLM.int8()"),
        *on.never("sglang"),
        *on.never("tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="bitsandbytes nn/modules.py, Linear8bitLt._save_to_state_dict: weight, SCB, weight_format",
    aliases=("bitsandbytes INT8", "llm int8", "bnb 8bit", "bnb int8"),
)
