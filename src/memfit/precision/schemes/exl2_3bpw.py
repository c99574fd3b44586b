"""ExLlamaV2 at three bits a weight, the mean that its quantizer is given as a goal."""

from memfit.precision import _engines as on
from memfit.precision._scheme import Scheme, Stored

SCHEME = Scheme(
    name="EXL2 3.0bpw",
    summary="2 to 8 bits a layer, 3.0 in the mean with scales; 6-bit output",
    weight_bits=3,
    # the quantizer chooses bits by layer until the mean is met: a single layer has more or fewer
    tensors=(Stored(name="q_weight and scales", bits=3, per="number"),),
    others={"output": (Stored(name="q_weight and scales", bits=6, per="number"),)},
    unties=True,
    quant_methods=("exl2",),
    support=(
        on.weight_only("pytorch", "7.5", on.EXL3, "ExLlamaV2's kernels", unknown=True),
        *on.never(
            "vllm", "sglang", "tensorrt_llm", "tensorrt_edge_llm", "mlc", "executorch", "onnxruntime", "ctranslate2"
        ),
        *on.GGUF_ONLY,
    ),
    source="exllamav2 convert.py: --bits is the mean over all layers, --head_bits 6",
    aliases=("exl2", "exl2 3 0bpw"),
)
