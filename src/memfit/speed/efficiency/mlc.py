"""mlc: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import Efficiency

EFFICIENCY = EngineEfficiency(
    engine="mlc",
    chips=(
        Efficiency(
            engine="mlc",
            chip="Ampere",
            bandwidth_share=0.826,
            layer_clocks=168700.0,
            error=1.46,
            anchors=15,
            sources=(
                "jetson_containers_mlc",
                "nvidia_super_mode",
            ),
        ),
    ),
)
