"""What counts as an agreement of formula and engine, on an engine's answer made up from the formula's own figures."""

import importlib.util
from typing import Any

import msgspec
import pytest

from memfit.device import find_device
from memfit.engine._llama_cpp import agreement
from memfit.engine._llama_cpp.agreement import agree, compare
from memfit.engine._llama_cpp.answers import from_coefficients
from memfit.engine._llama_cpp.compute import compute_bytes
from memfit.engine._llama_cpp.reservation import Buffer, Cache, Identity, Reserved
from memfit.engine._llama_cpp.terms import build, model_terms
from memfit.engine.records import Compared, Options
from memfit.errors import Disagreement
from memfit.footprint.estimate import estimate
from memfit.model import find_model
from memfit.units import MIB

NANO = find_device("orin-nano-8gb")
OPTIONS = Options(context_tokens=4096, load_mode="none", repack=False)
PLAN = build(
    find_model("SmolLM2-135M", format="Q4_K_M"),
    OPTIONS,
    NANO,
    profile="library",
    compute=from_coefficients(find_model("SmolLM2-135M", format="Q4_K_M"), OPTIONS, 1),
)
ENGINE = Identity(commit="0c1e570")


def answered(**off: int) -> Reserved:
    """The engine's answer, off by so many bytes."""
    found = {term.name: term.high_bytes for term in model_terms(PLAN)}
    caches = {"kv_cache": "kv", "recurrent_state": "state"}
    compute = compute_bytes(PLAN.shape, PLAN.options).likely_bytes + off.get("compute_buffers", 0)
    buffer = Buffer(
        name="CPU",
        host=True,
        model_bytes=found["weights"] + off.get("weights", 0),
        context_bytes=found.get("kv_cache", 0),
        compute_bytes=compute,
    )
    return Reserved(
        context_tokens=4096,
        slot_tokens=4096,
        batch_tokens=2048,
        ubatch_tokens=512,
        slots=1,
        flash_attention=True,
        buffers=(buffer,),
        caches=tuple(
            Cache(kind=kind, role="whole", bytes=found[name] + off.get(name, 0))  # type: ignore[arg-type]
            for name, kind in caches.items()
            if name in found
        ),
        output_bytes=found["output_buffer"] + off.get("output_buffer", 0),
        work=None,
        precision="byte",
    )


def compared(**off: int) -> tuple[Compared, ...]:
    return compare(model_terms(PLAN), PLAN, answered(**off), ENGINE)


def test_the_same_figures_stand_beside_each_other() -> None:
    found = {one.term: one for one in compared()}
    assert list(found) == ["weights", "kv_cache", "output_buffer", "compute_buffers"]  # no state: nothing to compare
    assert all(one.formula_bytes == one.engine_bytes > 0 for one in found.values())
    assert found["weights"].condition


@pytest.mark.parametrize("name", ["kv_cache", "weights", "output_buffer"])
def test_one_byte_is_a_disagreement_that_names_the_term_and_both_figures(name: str) -> None:
    size = next(term.high_bytes for term in model_terms(PLAN) if term.name == name)
    with pytest.raises(Disagreement, match=f"{name}: {size} by formula, {size + 1} by llama.cpp 0c1e570"):
        compared(**{name: 1})


def test_what_the_engine_says_goes_into_the_ledger() -> None:
    terms = agree(model_terms(PLAN), answered(kv_cache=1))
    assert {term.name for term in terms if term.source == "engine"} == {"kv_cache", "output_buffer"}
    cache = next(term for term in terms if term.name == "kv_cache")
    assert cache.high_bytes == 1 + next(term.high_bytes for term in model_terms(PLAN) if term.name == "kv_cache")


def test_compute_buffers_may_be_off_by_what_the_coefficients_promise() -> None:
    size = compute_bytes(PLAN.shape, OPTIONS).likely_bytes
    slack = int(max(2 * MIB, 0.03 * size))
    compared(compute_buffers=slack - MIB)
    with pytest.raises(Disagreement, match="compute_buffers"):
        compared(compute_buffers=2 * slack)


def test_coefficients_that_say_they_may_be_off_are_held_to_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    size = compute_bytes(PLAN.shape, OPTIONS).likely_bytes

    def doubted(*given: Any, **named: Any) -> Any:
        return msgspec.structs.replace(
            compute_bytes(*given, **named), low_bytes=int(0.6 * size), high_bytes=int(1.4 * size)
        )

    monkeypatch.setattr(agreement, "compute_bytes", doubted)
    compared()
    compared(compute_buffers=int(-0.38 * size))
    compared(compute_buffers=int(0.38 * size))
    with pytest.raises(Disagreement, match=f"compute_buffers: {size} by coefficients"):
        compared(compute_buffers=int(0.5 * size))


@pytest.mark.engine
@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
class TestTheRealEngine:
    def test_an_architecture_with_wide_bounds_is_compared_and_not_refused(self) -> None:
        options = Options(context_tokens=2048, ubatch_tokens=64)
        footprint = estimate("Llama-4-Scout", format="Q4_K_M", options=options, source="both", relief=False)
        assert next(term for term in footprint.terms if term.name == "compute_buffers").source == "engine"
        assert all(one.formula_bytes == one.engine_bytes for one in footprint.compared)

    def test_a_draft_is_compared_as_well(self) -> None:
        footprint = estimate("SmolLM2-360M", draft="SmolLM2-135M", options=OPTIONS, source="both", relief=False)
        terms = [one.term for one in footprint.compared]
        assert {"weights", "kv_cache", "draft weights", "draft kv_cache"} <= set(terms)
        assert len(terms) == len(set(terms))

    def test_nothing_is_compared_that_nobody_asked_for(self) -> None:
        assert not estimate("SmolLM2-135M", options=OPTIONS, source="engine", relief=False).compared
