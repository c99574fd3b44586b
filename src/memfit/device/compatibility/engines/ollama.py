"""Ollama."""

from memfit.device.compatibility.engines._support import Rule, Support

_DOCUMENT = "'LLM Optimization on Jetson', matrix"

SUPPORT = Support(
    engine="Ollama",
    rules=(
        Rule(
            since="38.0",
            capability="11.0",
            runs=True,
            reason="the general arm64 build with CUDA 13; it may take page cache for used memory",
            source="ollama/ollama issue 12283, on a Thor",
        ),
        Rule(
            since="39.0",
            runs=None,
            reason="its JetPack 6 build is for CUDA 12; no source tells of the general arm64 build on Orin",
            source="release assets of ollama/ollama",
        ),
        Rule(since="36.0", before="38.0", runs=True, reason="own build (arm64-jetpack6)", source=_DOCUMENT),
        Rule(since="35.4.1", before="36.0", runs=True, reason="own build (arm64-jetpack5)", source=_DOCUMENT),
        Rule(since="35.3", before="35.4", runs=True, reason="older versions only", source=_DOCUMENT),
        Rule(since="35.0", before="35.2", runs=False, reason="JetPack 5.1 is the least", source=_DOCUMENT),
    ),
)
