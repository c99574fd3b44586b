"""Observations with plausible figures, to keep and to show."""

from __future__ import annotations

from typing import Any

import msgspec

from memfit.engine.records import Buffer, Deployment, Options, Workload
from memfit.measure.history import Runs, RunSummary, compare_runs
from memfit.measure.records import EngineIdentity, Limit, Machine, Observation, Paging, Phase, Reading, Sample
from memfit.units import GIB, MIB

MACHINE = Machine(
    key="nvidia-jetson-orin-nano-developer-kit",
    cpu="ARMv8 Processor rev 1 (v8l)",
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


_AT_S = tuple(map(float, range(12)))
RUN = observation(
    id=3,
    buffers=(
        Buffer(term="weights", name="CPU_Mapped model buffer", reserved_bytes=760 * MIB, touched_bytes=760 * MIB),
        Buffer(term="kv_cache", name="CPU KV buffer", reserved_bytes=128 * MIB, touched_bytes=120 * MIB),
        Buffer(term="output_buffer", name="CPU output buffer", reserved_bytes=MIB),
    ),
    readings=(
        Reading(meter="rails", name="VDD_IN", unit="mw", at_s=_AT_S, values=(4900.0, 5100.0, *(8800.0,) * 10)),
        Reading(meter="rails", name="VDD_SOC", unit="mw", at_s=_AT_S, values=(1700.0, 1700.0, *(2300.0,) * 10)),
        Reading(
            meter="thermal", name="gpu-thermal", unit="c", at_s=_AT_S, values=tuple(46.0 + i / 4 for i in range(12))
        ),
        Reading(meter="system", name="swapped", unit="bytes", at_s=_AT_S, values=(0.0,) * 12),
    ),
)
KILLED_RUN = observation(
    id=4,
    outcome="killed",
    reason="the kernel killed it at the limit",
    deployment=msgspec.structs.replace(RUN.deployment, options=Options(context_tokens=65536)),
    limit=Limit(mechanism="cgroup_v2", limit_bytes=GIB),
    phases=RUN.phases[:1],
    samples=RUN.samples[:91],
    paging=Paging(refaults=900, refaults_scope="cgroup", limit_failures=83_362, oom_kills=1, stalled_s=2.4),
    peak_pss_bytes=1000 * MIB,
    peak_limit_bytes=GIB,
    unevictable_bytes=980 * MIB,
    decode_tokens_per_s=None,
    said="llama_kv_cache: size = 2048.00 MiB\nllama_context: n_ctx = 65536",
)
CUT_RUN = observation(
    id=5,
    outcome="interrupted",
    reason="how it ended was not written: memfit ended before it did, or the disk was full",
    phases=(),
    samples=(),
    peak_pss_bytes=0,
    peak_limit_bytes=None,
    unevictable_bytes=0,
    decode_tokens_per_s=None,
    prompt_tokens_per_s=None,
    said="",
)


def summary(one: Observation, **more: Any) -> RunSummary:
    """A run in one line."""
    given: dict[str, Any] = {
        "id": one.id,
        "began": one.began,
        "machine": one.machine.key,
        "engine": one.engine.name,
        "model": one.deployment.model,
        "limit_bytes": one.limit.limit_bytes,
        "outcome": one.outcome,
        "peak_pss_bytes": one.peak_pss_bytes,
        "decode_tokens_per_s": one.decode_tokens_per_s,
        "duration_s": one.duration_s,
    }
    return RunSummary(**(given | more))


SUMMARIES = (
    summary(CUT_RUN, enforced=False),
    summary(KILLED_RUN, model="Qwen3-8B", format="Q4_K_M"),
    summary(RUN, limit_bytes=None),
    summary(RUN, id=2, model="/data/a-model-with-a-name-that-is-long-iq2_xs.gguf", peak_pss_bytes=14 * GIB),
)
SHOWN: dict[str, msgspec.Struct] = {
    "run": RUN,
    "run_killed": KILLED_RUN,
    "run_cut": CUT_RUN,
    "runs": Runs(store="/srv/me/.local/share/memfit/runs.sqlite", items=SUMMARIES, count=27),
    "no_runs": Runs(store="/srv/me/.local/share/memfit/runs.sqlite", items=(), count=0),
    "run_pair": compare_runs(RUN, KILLED_RUN),
    "run_twice": compare_runs(RUN, msgspec.structs.replace(RUN, id=6, peak_pss_bytes=RUN.peak_pss_bytes - MIB)),
}
