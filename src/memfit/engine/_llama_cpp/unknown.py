"""The ledger of an architecture that no file of memfit describes: the engine's own figures, term by term."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._llama_cpp.reservation import Reserved
from memfit.engine._llama_cpp.terms import Compute, build, model_terms, process_terms
from memfit.engine.records import Options, Profile, Term
from memfit.model.shape import ModelShape


def unknown_terms(
    shape: ModelShape, options: Options, device: Device, profile: Profile, compute: Compute, reserved: Reserved
) -> tuple[Term, ...]:
    """Weights by their tensors, caches as the engine reserved them."""
    plan = build(shape, options, device, profile=profile, compute=compute)
    caches = (("kv_cache", reserved.kv_bytes), ("recurrent_state", reserved.state_bytes))
    asked = tuple(
        Term(
            name=name,
            pool=plan.pool,
            low_bytes=size,
            likely_bytes=size,
            high_bytes=size,
            source="engine",
            formula="as the engine reserved it; memfit does not know this architecture's layers",
        )
        for name, size in caches
        if size
    )
    return (*model_terms(plan), *asked, *process_terms(plan))
