"""tinychat: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import Efficiency

EFFICIENCY = EngineEfficiency(
    engine="tinychat",
    chips=(
        Efficiency(
            engine="tinychat",
            chip="Ampere",
            bandwidth_share=0.743,
            weights_per_clock=11.5,
            layer_clocks=78800.0,
            error=1.25,
            anchors=4,
            sources=("tinychat_orin",),
        ),
    ),
)
