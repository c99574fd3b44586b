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
            bandwidth_share=0.585,
            weights_per_clock=9.32,
            layer_clocks=117100.0,
            expert_clocks=550900.0,
            error=1.3,
            start_s=0.05,
            compute=(ComputeShare(math="int8", share=0.139, error=1.25, anchors=12),),
            anchors=57,
            sources=(
                "hokwangchoi_orin_nano",
                "llama_cpp_issues",
                "llama_cpp_sm87",
                "mlc_issue_3492",
                "self_tuning_rover",
                "smolhub_orin_nano_super",
                "tiny_agent_orin_nano",
                "vllm_orin_wheel",
                "yzma_orin_nano",
            ),
        ),
        Efficiency(
            engine="llama_cpp",
            chip="Blackwell",
            bandwidth_share=0.898,
            weights_per_clock=9.32,
            layer_clocks=117100.0,
            expert_clocks=550900.0,
            error=1.5,
            anchors=1,
            sources=("edge_llm_issues",),
        ),
        Efficiency(
            engine="llama_cpp",
            chip="CPU",
            bandwidth_share=1.0,
            weights_per_clock=4.39,
            layer_clocks=511000.0,
            error=2.0,
            compute=(ComputeShare(math="int8", share=0.343, error=1.4, anchors=1),),
            anchors=2,
            sources=(
                "tiny_agent_orin_nano",
                "yzma_orin_nano",
            ),
        ),
    ),
)
