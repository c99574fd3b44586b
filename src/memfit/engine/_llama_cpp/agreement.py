"""Formula beside engine, like with like: the same model, the same options, the CPU that the engine runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from memfit.engine._llama_cpp.compute import compute_bytes
from memfit.engine._llama_cpp.reservation import Identity, Reserved
from memfit.engine._llama_cpp.terms import Build
from memfit.engine._llama_cpp.weights import place
from memfit.engine.records import Term
from memfit.errors import Disagreement
from memfit.units import MIB

# what the coefficients promise: within 3 % or 2 MiB of the engine
COMPUTE_RATIO = 0.03
COMPUTE_SLACK_BYTES = 2 * MIB


def agree(terms: Sequence[Term], plan: Build, reserved: Reserved, identity: Identity, *, strict: bool) -> list[Term]:
    """The terms with the engine's figures where it gave them.

    Raises:
        Disagreement: ``strict``, and formula and engine differ; names every term with both figures.
    """
    differences = list(_differences(terms, plan, reserved, identity, strict=strict))
    if strict and differences:
        raise Disagreement(
            "formula and engine disagree: " + "; ".join(differences),
            hint="report it with `memfit estimate … --json`; until then --source engine is right",
        )
    answered = {
        "kv_cache": reserved.kv_bytes,
        "recurrent_state": reserved.state_bytes,
        "output_buffer": reserved.output_bytes,
    }
    return [_answered(term, answered.get(term.name)) for term in terms]


def _answered(term: Term, size: int | None) -> Term:
    if size is None:
        return term
    if term.name == "output_buffer" and term.high_bytes > term.low_bytes:
        # the engine tells what it starts with; what the buffer grows to is known by formula alone
        grown = term.high_bytes - term.low_bytes + size
        return msgspec.structs.replace(term, low_bytes=size, likely_bytes=grown, high_bytes=grown)
    return msgspec.structs.replace(term, low_bytes=size, likely_bytes=size, high_bytes=size, source="engine")


def _differences(
    terms: Sequence[Term], plan: Build, reserved: Reserved, identity: Identity, *, strict: bool
) -> Iterator[str]:
    found = {term.name: term.high_bytes for term in terms}
    exact = [
        ("kv_cache", found.get("kv_cache", 0), reserved.kv_bytes),
        ("recurrent_state", found.get("recurrent_state", 0), reserved.state_bytes),
    ]
    if reserved.output_bytes is not None:
        starts = sum(term.low_bytes for term in terms if term.name == "output_buffer")
        exact.append(("output_buffer", starts, reserved.output_bytes))
    if reserved.precision == "byte":
        exact.append(("weights", *_weights(plan, reserved, identity)))
    for name, formula, engine in exact:
        if formula != engine:
            yield f"{name}: {formula} by formula, {engine} by {identity.label}"
    if strict:
        computed = compute_bytes(plan.shape, plan.options)
        engine = reserved.compute_bytes
        slack = max(COMPUTE_SLACK_BYTES, COMPUTE_RATIO * engine)
        # where the coefficients say themselves that they may be off, the engine is to be within their bounds
        if not computed.low_bytes - slack <= engine <= computed.high_bytes + slack:
            yield f"compute_buffers: {computed.likely_bytes} by coefficients, {engine} by {identity.label}"


def _weights(plan: Build, reserved: Reserved, identity: Identity) -> tuple[int, int]:
    """The engine answers without mmap and for its own CPU, so the formula is asked the same."""
    options = msgspec.structs.replace(plan.options, load_mode="none")
    placement = place(plan.shape, options, identity.instructions)
    return placement.unevictable_bytes + placement.mapped_bytes, reserved.model_bytes
