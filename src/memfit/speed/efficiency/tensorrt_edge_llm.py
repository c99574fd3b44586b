"""tensorrt_edge_llm: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import ComputeShare, Efficiency

EFFICIENCY = EngineEfficiency(
    engine="tensorrt_edge_llm",
    chips=(
        Efficiency(
            engine="tensorrt_edge_llm",
            chip="Ampere",
            bandwidth_share=0.848,
            layer_clocks=62300.0,
            error=1.18,
            anchors=7,
            sources=(
                "edge_llm_issues",
                "hokwangchoi_orin_nano",
            ),
        ),
        Efficiency(
            engine="tensorrt_edge_llm",
            chip="Blackwell",
            bandwidth_share=0.858,
            layer_clocks=80400.0,
            error=1.13,
            start_s=0.005,
            compute=(
                ComputeShare(math="fp16", share=0.105, error=1.69, anchors=5),
                ComputeShare(math="fp4", share=0.181, error=1.4, anchors=4),
            ),
            anchors=9,
            sources=(
                "edge_llm_docs",
                "edge_llm_issues",
            ),
        ),
    ),
)
