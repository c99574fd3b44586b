"""Observations with plausible figures, to keep and to show."""

from __future__ import annotations

from typing import Any

from memfit.engine.records import Deployment, Options, Workload
from memfit.measure.records import EngineIdentity, Limit, Machine, Observation, Paging, Phase, Sample
from memfit.units import GIB, MIB

MACHINE = Machine(
    key="nvidia-jetson-orin-nano-developer-kit",
    cpu="arm 0x41 0xd42",
    board="NVIDIA Jetson Orin Nano Developer Kit",
    kernel="5.15.148-tegra",
    total_bytes=7620 * MIB,
    threads=6,
)
ENGINE = EngineIdentity(name="llama_cpp", version="0c1e57098", backend="cpu", instructions="neon dotprod")


def observation(**more: Any) -> Observation:
    """A completed run of two phases under a limit."""
    given: dict[str, Any] = {
        "began": "2026-11-25T10:00:00+00:00",
        "duration_s": 12.5,
        "outcome": "completed",
        "machine": MACHINE,
        "engine": ENGINE,
        "deployment": Deployment(model="models/Llama-3.2-1B-Q4_K_M.gguf", options=Options(context_tokens=4096)),
        "shape_digest": "a1b2",
        "workload": Workload(prompt_tokens=512),
        "limit": Limit(mechanism="cgroup_v2", limit_bytes=2 * GIB),
        "phases": (
            Phase(name="loaded", at_s=2.0, pss_bytes=900 * MIB, anonymous_bytes=150 * MIB, file_bytes=750 * MIB),
            Phase(
                name="decode",
                at_s=12.0,
                pss_bytes=1100 * MIB,
                anonymous_bytes=340 * MIB,
                file_bytes=760 * MIB,
                tokens=32,
                seconds=2.0,
            ),
        ),
        "samples": tuple(
            Sample(
                at_s=step / 10,
                resident_bytes=min(100 + 10 * step, 1104) * MIB,
                limited_bytes=min(120 + 11 * step, 1300) * MIB,
                available_bytes=6 * GIB,
            )
            for step in range(125)
        ),
        "paging": Paging(refaults=3, refaults_scope="cgroup"),
        "peak_pss_bytes": 1100 * MIB,
        "peak_limit_bytes": 1300 * MIB,
        "unevictable_bytes": 342 * MIB,
        "decode_tokens_per_s": 16.0,
        "prompt_tokens_per_s": 210.0,
        "said": "llama_model_load: loaded",
        "memfit_version": "0.1.0",
    }
    return Observation(**(given | more))
