"""A prediction and runs of it with figures made up by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Ledger
from memfit.engine.records import Buffer, Deployment, Options, Part, Term, Workload
from memfit.footprint import Footprint, footprint_of
from memfit.measure.compare import observed
from memfit.measure.records import EngineIdentity, Limit, Machine, Observation, Phase, Sample, Verification
from memfit.model.shape import ModelShape
from memfit.units import GIB, MIB

HERE = Device(
    name="this machine",
    unified=False,
    total_bytes=16 * GIB,
    os_bytes=GIB,
    capacity_bytes=2 * GIB,
    instructions=("avx2",),
    threads=4,
    grade="measured",
    source="made up",
)
SHAPE = ModelShape(
    architecture="llama",
    name="made-up",
    parameters=10**9,
    parameters_active=10**9,
    embedding_length=2048,
    vocabulary_tokens=32000,
    context_trained_tokens=4096,
)


def term(name: str, low: float, likely: float, high: float, **more: Any) -> Term:
    """A term of figures in MiB."""
    fields: dict[str, Any] = {"name": name, "pool": "host", "source": "formula", "formula": "made up", **more}
    low_bytes, likely_bytes, high_bytes = (int(size * MIB) for size in (low, likely, high))
    return Term(low_bytes=low_bytes, likely_bytes=likely_bytes, high_bytes=high_bytes, **fields)


def predicted(*terms: Term, options: Options | None = None, device: Device = HERE) -> Footprint:
    """A footprint of these terms, or of a model of 600 MiB that is likely to take 800 MiB."""
    ledger = terms or (
        term("weights", 100, 600, 600, evictable_bytes=500 * MIB, working_set_bytes=400 * MIB),
        term("kv_cache", 100, 100, 100),
        term("compute_buffers", 40, 50, 80),
        term("tokenizer", 5, 10, 15),
        term("runtime", 20, 40, 50),
        term("peak_headroom", 0, 0, 16),
    )
    deployment = Deployment(model="made-up.gguf", options=options or Options())
    return footprint_of(Ledger(terms=ledger, engine="llama.cpp by hand"), SHAPE, deployment, device)


def phase(name: str, pss: float, *, at: float = 0, tokens: int = 0, swapped: float = 0) -> Phase:
    """A phase that holds ``pss`` MiB, 500 of it mapped."""
    return Phase(
        name=name,
        at_s=at,
        pss_bytes=int(pss * MIB),
        anonymous_bytes=int((pss - 500) * MIB),
        file_bytes=500 * MIB,
        swapped_bytes=int(swapped * MIB),
        tokens=tokens,
        seconds=tokens / 20,
    )


BUFFERS = (
    Buffer(term="weights", name="CPU_Mapped", reserved_bytes=500 * MIB, touched_bytes=500 * MIB),
    Buffer(term="weights", name="CPU_REPACK", reserved_bytes=100 * MIB, touched_bytes=100 * MIB),
    Buffer(term="kv_cache", name="CPU KV", reserved_bytes=100 * MIB, touched_bytes=100 * MIB),
    Buffer(term="compute_buffers", name="CPU compute", reserved_bytes=80 * MIB, touched_bytes=53 * MIB),
)


def ran(peak: float = 803, **changes: Any) -> Observation:
    """A complete run that peaked at ``peak`` MiB."""
    fields: dict[str, Any] = {
        "id": 7,
        "began": "2026-11-25T10:00:00Z",
        "duration_s": 12.5,
        "outcome": "completed",
        "machine": Machine(key="made-up-cpu", cpu="Made Up CPU", kernel="6.1.0", total_bytes=16 * GIB, threads=4),
        "engine": EngineIdentity(name="llama_cpp", version="0c1e570 (llama-cpp-python 0.3.36)", backend="cpu"),
        "deployment": Deployment(model="made-up.gguf"),
        "workload": Workload(),
        "limit": Limit(),
        "phases": (
            phase("started", 540, at=0.4),
            phase("loaded", 700, at=2),
            phase("prompt", peak, at=8, tokens=512),
            phase("decode", peak - 1, at=12, tokens=32),
        ),
        "samples": tuple(
            Sample(at_s=index / 10, resident_bytes=min(index * 16, int(peak)) * MIB) for index in range(120)
        ),
        "peak_pss_bytes": int(peak * MIB),
        "unevictable_bytes": int((peak - 500) * MIB),
        "buffers": BUFFERS,
        "prompt_tokens_per_s": 80.0,
        "decode_tokens_per_s": 20.0,
        **changes,
    }
    return Observation(**fields)


def changed(observation: Observation, **changes: Any) -> Observation:
    """The same run with other fields."""
    return msgspec.structs.replace(observation, **changes)


CUDA = Options(backend="cuda")
GPU_PARTS = (Part(name="in GPU buffers", bytes=500 * MIB), Part(name="in a CPU buffer", bytes=100 * MIB))


def verified(
    footprint: Footprint | None = None, observation: Observation | None = None, **changes: Any
) -> Verification:
    """The sample run beside the sample prediction, put together without the code that does so."""
    footprint, observation = footprint or predicted(), observation or ran()
    residual = observation.peak_pss_bytes - footprint.likely_bytes
    fields: dict[str, Any] = {
        "predicted": footprint,
        "observed": observed(footprint, observation),
        "compared_bytes": footprint.likely_bytes,
        "residual_bytes": residual,
        "residual_ratio": round(residual / footprint.likely_bytes, 4),
        "verdict": "within",
        "runs": True,
        "decode_tokens_per_s": observation.decode_tokens_per_s,
        "limit_bytes": observation.limit.limit_bytes,
        "observation": observation,
        **changes,
    }
    return Verification(**fields)
