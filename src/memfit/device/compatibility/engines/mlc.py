"""MLC LLM."""

from memfit.device.compatibility.engines._support import CONTAINERS, Rule, Support

_FILE = f"{CONTAINERS} packages/llm/mlc/config.py (04a6bfef)"

SUPPORT = Support(
    engine="MLC",
    rules=(
        Rule(
            since="36.0",
            before="38.0",
            runs=True,
            minimum_version="0.20",
            reason="built from source, in a container",
            source=_FILE,
        ),
        Rule(
            since="35.0",
            before="36.0",
            runs=True,
            minimum_version="0.1",
            reason="0.1 alone, built from source, in a container",
            source=_FILE,
        ),
    ),
)
