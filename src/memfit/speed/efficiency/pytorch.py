"""pytorch: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import Efficiency

EFFICIENCY = EngineEfficiency(
    engine="pytorch",
    chips=(
        Efficiency(
            engine="pytorch",
            chip="Ampere",
            bandwidth_share=0.774,
            layer_clocks=81600.0,
            error=1.25,
            anchors=4,
            sources=("tinychat_orin",),
        ),
    ),
)
