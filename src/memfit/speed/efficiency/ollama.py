"""ollama: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import ComputeShare, Efficiency

EFFICIENCY = EngineEfficiency(
    engine="ollama",
    chips=(
        Efficiency(
            engine="ollama",
            chip="Ampere",
            bandwidth_share=0.628,
            weights_per_clock=7.09,
            layer_clocks=200500.0,
            error=1.82,
            start_s=0.28,
            compute=(ComputeShare(math="int8", share=0.134, error=1.4, anchors=8),),
            anchors=24,
            sources=("smolhub_orin_nano_super",),
        ),
    ),
)
