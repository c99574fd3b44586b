"""llama_cpp: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import ComputeShare, Efficiency

EFFICIENCY = EngineEfficiency(
    engine="llama_cpp",
    chips=(
        Efficiency(
            engine="llama_cpp",
            chip="Ampere",
            bandwidth_share=0.61,
            expert_share=0.176,
            weights_per_clock=8.77,
            layer_clocks=112500.0,
            error=1.32,
            start_s=0.055,
            compute=(ComputeShare(math="int8", share=0.147, error=1.25, anchors=9),),
            anchors=45,
            sources=(
                "hokwangchoi_orin_nano",
                "llama_cpp_issues",
                "smolhub_orin_nano_super",
                "vllm_orin_wheel",
                "yzma_orin_nano",
            ),
        ),
        Efficiency(
            engine="llama_cpp",
            chip="Blackwell",
            bandwidth_share=0.893,
            expert_share=0.176,
            weights_per_clock=8.77,
            layer_clocks=112500.0,
            error=1.5,
            anchors=1,
            sources=("edge_llm_issues",),
        ),
        Efficiency(
            engine="llama_cpp",
            chip="CPU",
            bandwidth_share=1.0,
            weights_per_clock=1.09,
            layer_clocks=0.0,
            error=2.0,
            anchors=1,
            sources=("yzma_orin_nano",),
        ),
    ),
)
