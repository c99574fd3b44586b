"""TensorRT Edge-LLM."""

from memfit.device.compatibility.engines._support import Rule, Support

_GUIDE = "TensorRT Edge-LLM documentation, 'Supported Platforms'"

SUPPORT = Support(
    engine="TensorRT Edge-LLM",
    rules=(
        Rule(
            since="38.4",
            capability="11.0",
            runs=True,
            minimum_version="0.4",
            reason="officially supported",
            source=f"{_GUIDE} of the first releases and of 0.8.0",
        ),
        Rule(
            since="39.2",
            capability="8.7",
            runs=True,
            minimum_version="0.8",
            reason="officially supported; FP16, INT8 and INT4 alone on Orin",
            source=f"{_GUIDE} of 0.8.0",
        ),
        Rule(
            since="36.4.3",
            before="38.0",
            capability="8.7",
            runs=True,
            minimum_version="0.6",
            reason="compatible, experimental: JetPack 6.2 and newer; FP16, INT8 and INT4 alone",
            source=f"{_GUIDE}; a log of an Orin Nano with R36.5.0",
        ),
    ),
)
