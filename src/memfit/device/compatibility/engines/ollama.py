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
            since="39.2",
            capability="8.7",
            runs=True,
            minimum_version="0.32",
            reason="the general arm64 build with CUDA 13; earlier ones had no code for 8.7 and fell back to the CPU",
            source="NVIDIA's staff in developer forum threads 372521 and 383350 (JetPack 7.2.1, 2026-09), as cited by "
            "others: the threads were not re-read",
        ),
        Rule(since="36.0", before="38.0", runs=True, reason="own build (arm64-jetpack6)", source=_DOCUMENT),
        Rule(since="35.4.1", before="36.0", runs=True, reason="own build (arm64-jetpack5)", source=_DOCUMENT),
        Rule(since="35.3", before="35.4", runs=True, reason="older versions only", source=_DOCUMENT),
        Rule(since="35.0", before="35.2", runs=False, reason="JetPack 5.1 is the least", source=_DOCUMENT),
    ),
)
