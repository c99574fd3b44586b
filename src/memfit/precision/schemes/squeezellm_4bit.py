"""SqueezeLLM, dense part alone: 4-bit codes into a table of 16 values for each row."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="SqueezeLLM 4-bit",
    summary="4-bit codes, a table of 16 16-bit values a row",
    weight_bits=4,
    scale_bits=16,
    tensors=(
        Stored(name="qweight", bits=4, per="number", packed="inputs"),
        Stored(name="lookup_table", bits=16 * 16, per="row"),
    ),
    quant_methods=("squeezellm",),
    quality=Prior(loss="low", source=DOCUMENT),
    support=(
        on.weight_only("pytorch", "7.0", on.SQUEEZE, "SqueezeLLM's kernels", unknown=True),
        *on.never("vllm", says="read 4 bits from 7.0 on until it was taken out"),
        *on.never("sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="vLLM vllm/model_executor/layers/quantization/squeezellm.py @ 018b5a5e; the table has 2^bits values a row",
    aliases=("SqueezeLLM 4-bit", "squeezellm", "squeeze llm 4"),
)
