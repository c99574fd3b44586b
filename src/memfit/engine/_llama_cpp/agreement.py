"""Formula beside engine, like with like: the same model, the same options, the CPU that the engine runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from memfit.engine._llama_cpp.compute import compute_bytes
from memfit.engine._llama_cpp.reservation import Identity, Reserved
from memfit.engine._llama_cpp.terms import Build
from memfit.engine._llama_cpp.weights import place
from memfit.engine.records import Compared, Term
from memfit.errors import Disagreement
from memfit.units import MIB

# what the coefficients promise: within 3 % or 2 MiB of the engine
COMPUTE_RATIO = 0.03
COMPUTE_SLACK_BYTES = 2 * MIB


def agree(terms: Sequence[Term], reserved: Reserved) -> list[Term]:
    """The terms with the engine's figures where it gave them."""
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


def compare(terms: Sequence[Term], plan: Build, reserved: Reserved, identity: Identity) -> tuple[Compared, ...]:
    """What formula and engine say of each term that both know.

    Args:
        terms: by formula.
        plan: what they were built from.
        reserved: the engine's answer.
        identity: the engine that gave it.

    Raises:
        Disagreement: they differ; names every term that does with both figures.
    """
    exact = list(_exact(terms, plan, reserved, identity))
    differences = [
        f"{one.term}: {one.formula_bytes} by formula, {one.engine_bytes} by {identity.label}"
        for one in exact
        if one.formula_bytes != one.engine_bytes
    ]
    computed, engine = compute_bytes(plan.shape, plan.options), reserved.compute_bytes
    slack = max(COMPUTE_SLACK_BYTES, COMPUTE_RATIO * engine)
    # where the coefficients say themselves that they may be off, the engine is to be within their bounds
    if not computed.low_bytes - slack <= engine <= computed.high_bytes + slack:
        differences.append(f"compute_buffers: {computed.likely_bytes} by coefficients, {engine} by {identity.label}")
    if differences:
        raise Disagreement(
            "formula and engine disagree: " + "; ".join(differences),
            hint="report it with `memfit estimate … --json`; until then --source engine is right",
        )
    buffers = Compared(term="compute_buffers", formula_bytes=computed.likely_bytes, engine_bytes=engine)
    return tuple(one for one in (*exact, buffers) if one.formula_bytes or one.engine_bytes)


def _exact(terms: Sequence[Term], plan: Build, reserved: Reserved, identity: Identity) -> Iterator[Compared]:
    """What has to be equal to the byte."""
    if reserved.precision == "byte":
        formula, engine = _weights(plan, reserved, identity)
        yield Compared(
            term="weights", formula_bytes=formula, engine_bytes=engine, condition="read into memory, on this CPU"
        )
    found = {term.name: term.high_bytes for term in terms}
    yield Compared(term="kv_cache", formula_bytes=found.get("kv_cache", 0), engine_bytes=reserved.kv_bytes)
    yield Compared(
        term="recurrent_state", formula_bytes=found.get("recurrent_state", 0), engine_bytes=reserved.state_bytes
    )
    if reserved.output_bytes is not None:
        starts = sum(term.low_bytes for term in terms if term.name == "output_buffer")
        yield Compared(term="output_buffer", formula_bytes=starts, engine_bytes=reserved.output_bytes)


def _weights(plan: Build, reserved: Reserved, identity: Identity) -> tuple[int, int]:
    """The engine answers without mmap and for its own CPU, so the formula is asked the same."""
    options = msgspec.structs.replace(plan.options, load_mode="none")
    placement = place(plan.shape, options, identity.instructions)
    return placement.unevictable_bytes + placement.mapped_bytes, reserved.model_bytes
