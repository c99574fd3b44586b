"""SqueezeLLM, dense part alone: 3-bit codes into a table of 8 values for each row."""

from memfit.precision import _engines as on
from memfit.precision._scheme import DOCUMENT, Prior, Scheme, Stored

SCHEME = Scheme(
    name="SqueezeLLM 3-bit",
    summary="3-bit codes, a table of 8 16-bit values a row",
    weight_bits=3,
    scale_bits=16,
    tensors=(
        Stored(name="qweight", bits=3, per="number", packed="inputs"),
        Stored(name="lookup_table", bits=16 * 8, per="row"),
    ),
    quant_methods=("squeezellm",),
    quality=Prior(loss="low", source=DOCUMENT),
    support=(
        on.weight_only("pytorch", "7.0", on.SQUEEZE, "SqueezeLLM's kernels", unknown=True),
        *on.never("vllm", says="read 4 bits alone, until it was taken out"),
        *on.never("sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"),
        *on.GGUF_ONLY,
    ),
    source="vLLM vllm/model_executor/layers/quantization/squeezellm.py @ 018b5a5e; the table has 2^bits values a row",
    aliases=("SqueezeLLM 3-bit", "squeezellm 3", "squeeze llm 3"),
)
