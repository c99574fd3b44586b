"""llama.cpp."""

from memfit.device.compatibility.engines._support import Rule, Support

_DOCUMENT = "'LLM Optimization on Jetson', matrix and checklist"

SUPPORT = Support(
    engine="llama.cpp",
    rules=(
        Rule(
            since="38.0",
            capability="11.0",
            runs=True,
            reason="needs CUDA 13 for compute capability 11.0",
            source="jetson-containers image llama_cpp for r38 on a Thor developer kit",
        ),
        Rule(
            since="36.4.7",
            before="36.5",
            runs=True,
            reason="large cudaMalloc fails with error 12 since R36.4.7: virtual-memory allocation avoids it",
            source=f"{_DOCUMENT}; ggml-org/llama.cpp pull request 23732",
        ),
        Rule(since="35.2.1", runs=True, reason="built with -DGGML_CUDA=ON", source=_DOCUMENT),
        Rule(
            since="35.1",
            runs=None,
            reason="the matrix says yes and the checklist asks for JetPack 5.1",
            source=_DOCUMENT,
        ),
    ),
)
