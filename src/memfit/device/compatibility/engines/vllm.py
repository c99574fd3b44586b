"""vLLM. It does run on Jetson, whatever is said of servers with paged attention."""

from memfit.device.compatibility.engines._support import CONTAINERS, Rule, Support

_SKILL = "NVIDIA/skills jetson-llm-serve (2026-06)"

SUPPORT = Support(
    engine="vLLM",
    rules=(
        Rule(
            since="38.0",
            capability="11.0",
            runs=True,
            minimum_version="0.20",
            reason="upstream wheels and images (CUDA 13)",
            source=_SKILL,
        ),
        Rule(
            since="39.0",
            capability="8.7",
            runs=True,
            minimum_version="0.20",
            reason="upstream wheels and images (CUDA 13)",
            source=_SKILL,
        ),
        Rule(
            since="36.4",
            before="38.0",
            runs=True,
            reason="in a container built for Jetson: upstream wheels are not for CUDA 12.6 on Tegra",
            source=f"{_SKILL}; {CONTAINERS} packages/llm/vllm",
        ),
        Rule(
            before="36.0",
            runs=False,
            reason="needs Python 3.9 and CUDA 11.8; this release has Python 3.8 or older and CUDA 11.4 or older",
            source="vLLM installation guide, 0.6.6 (Python 3.9 to 3.12)",
        ),
    ),
)
