"""vllm: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import ComputeShare, Efficiency

EFFICIENCY = EngineEfficiency(
    engine="vllm",
    chips=(
        Efficiency(
            engine="vllm",
            chip="Ampere",
            bandwidth_share=0.709,
            layer_clocks=27600.0,
            expert_clocks=436400.0,
            error=1.31,
            compute=(ComputeShare(math="fp16", share=0.311, error=1.4, anchors=1),),
            anchors=17,
            sources=(
                "embedl_edge_inference",
                "hokwangchoi_orin_nano",
                "jetson_ai_lab_models",
                "vllm_orin_wheel",
            ),
        ),
        Efficiency(
            engine="vllm",
            chip="Blackwell",
            bandwidth_share=0.873,
            layer_clocks=176200.0,
            error=1.56,
            anchors=14,
            sources=(
                "embedl_edge_inference",
                "jetson_ai_lab_models",
            ),
        ),
    ),
)
