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
            bandwidth_share=0.9,
            weights_per_clock=12.1,
            layer_clocks=301700.0,
            error=1.96,
            start_s=0.275,
            compute=(ComputeShare(math="int8", share=0.135, error=1.4, anchors=8),),
            anchors=33,
            sources=(
                "jeremymorgan_orin_nano",
                "smolhub_orin_nano_super",
            ),
        ),
    ),
)
