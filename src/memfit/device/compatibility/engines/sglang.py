"""SGLang."""

from memfit.device.compatibility.engines._support import Rule, Support

_GUIDE = "SGLang documentation, 'NVIDIA Jetson Orin' and 'Installation' (2026-09)"

SUPPORT = Support(
    engine="SGLang",
    rules=(
        Rule(
            since="38.0",
            capability="11.0",
            runs=True,
            minimum_version="0.5.5",
            reason="in NVIDIA's image nvcr.io/nvidia/sglang:26.01-py3",
            source="NVIDIA/skills jetson-llm-serve (2026-06)",
        ),
        Rule(
            since="36.4",
            before="38.0",
            runs=True,
            reason="in a container; 0.5.19 is the last version for CUDA 12",
            source=_GUIDE,
        ),
        Rule(before="36.0", runs=False, reason="needs Python 3.10 and JetPack 6.1", source=_GUIDE),
    ),
)
