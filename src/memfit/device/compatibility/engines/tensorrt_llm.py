"""TensorRT-LLM: one branch for Jetson, which NVIDIA no longer carries on."""

from memfit.device.compatibility.engines._support import Rule, Support

_BRANCH = "branch v0.12.0-jetson of NVIDIA/TensorRT-LLM (README4Jetson.md); issues 2266, 9712 and 11590"

SUPPORT = Support(
    engine="TensorRT-LLM",
    rules=(
        Rule(
            since="36.4",
            before="38.0",
            runs=True,
            minimum_version="0.12",
            reason="0.12 alone, made for AGX Orin with JetPack 6.1; newer models go with TensorRT Edge-LLM. "
            "The published matrix says 0.15 and newer, of which there is no build for Jetson",
            source=_BRANCH,
        ),
        Rule(
            since="36.0",
            before="36.4",
            runs=None,
            reason="the published matrix says 0.9 and newer; the branch for Jetson is for JetPack 6.1",
            source=f"'LLM Optimization on Jetson', matrix; {_BRANCH}",
        ),
        Rule(
            before="36.0",
            runs=False,
            reason="needs CUDA 12 and JetPack 6",
            source="'LLM Optimization on Jetson', checklist (its matrix says 'limited' for 5.1.3)",
        ),
    ),
)
