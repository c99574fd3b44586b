import importlib.util

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.device import find_device
from memfit.engine._engine import Models
from memfit.engine.records import TERM_NAMES, Deployment, Options
from memfit.engine.runtimes.llama_cpp import SERVER
from memfit.errors import UnknownName, UsageError
from memfit.footprint import Footprint, largest_fitting, predict, relax, steps, sweep
from memfit.footprint.estimate import estimate
from memfit.model import find_model
from memfit.units import GIB, MIB

NANO = find_device("orin-nano-8gb")
LLAMA = find_model("Llama-3.2-3B", format="Q4_K_M")


def formula(options: Options, name: str = "Llama-3.2-3B") -> Footprint:
    model = LLAMA if name == LLAMA.name else find_model(name, format="Q4_K_M")
    return predict(NANO, model, Deployment(model=name, options=options), source="formula")


def high(footprint: Footprint, name: str) -> int:
    return sum(term.high_bytes for term in footprint.terms if term.name == name)


def test_every_term_is_named_and_bounded() -> None:
    footprint = formula(Options(context_tokens=8192))
    assert {term.name for term in footprint.terms} <= set(TERM_NAMES)
    for term in footprint.terms:
        assert 0 <= term.low_bytes <= term.likely_bytes <= term.high_bytes, term.name
        assert term.working_set_bytes <= term.evictable_bytes <= term.high_bytes, term.name
        assert term.formula
        assert sum(part.bytes for part in term.parts) in (0, term.high_bytes), term.name


def test_llama_3_2_3b_by_hand() -> None:
    footprint = formula(Options(context_tokens=8192))
    assert high(footprint, "kv_cache") == 28 * 2 * 8 * 128 * 8192 * 2
    assert high(footprint, "output_buffer") == 4 * 128256
    assert footprint.model.parameters == 3_212_749_824


@given(
    context=st.integers(min_value=256, max_value=131072),
    slots=st.integers(min_value=1, max_value=8),
    kv_type=st.sampled_from(["F16", "Q8_0", "Q4_0"]),
    ubatch=st.sampled_from([64, 512, 1024]),
)
@settings(max_examples=25, deadline=None)
def test_more_of_anything_never_takes_less(context: int, slots: int, kv_type: str, ubatch: int) -> None:
    base = Options(context_tokens=context, slots=slots, kv_type_k=kv_type, kv_type_v=kv_type, ubatch_tokens=ubatch)
    less = formula(base).required_bytes
    assert formula(msgspec.structs.replace(base, context_tokens=2 * context)).required_bytes >= less
    assert formula(msgspec.structs.replace(base, kv_type_k="F16", kv_type_v="F16")).required_bytes >= less
    assert formula(msgspec.structs.replace(base, ubatch_tokens=2 * ubatch)).required_bytes >= less


def test_the_server_grows_with_saved_prompts() -> None:
    footprint = predict(NANO, LLAMA, Deployment(model="m", options=SERVER), profile="server", source="formula")
    assert high(footprint, "prompt_cache") == 8192 * MIB
    assert footprint.verdict == "no"
    assert any("--cache-ram" in warning for warning in footprint.warnings)


def test_a_context_above_the_trained_one_is_computed_and_warned_of() -> None:
    footprint = formula(Options(context_tokens=16384), "TinyLlama-1.1B")
    assert high(footprint, "kv_cache") > 0
    assert any("above the trained" in warning for warning in footprint.warnings)


def test_quantized_v_without_flash_attention_is_refused() -> None:
    with pytest.raises(UsageError, match="flash attention"):
        formula(Options(kv_type_v="Q8_0", flash_attention=False))


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as refused:
        estimate("Llama-3.3-3B", device=NANO, source="formula")
    assert "Llama-3.2-3B" in str(refused.value.hint)


def test_relief_is_ordered_and_true() -> None:
    deployment = Deployment(model="m", options=Options(context_tokens=131072))
    models = Models(model=LLAMA)
    base = predict(NANO, models, deployment, source="formula")
    changes = relax(NANO, models, deployment)
    assert [change.saved_bytes for change in changes] == sorted((c.saved_bytes for c in changes), reverse=True)
    assert all(change.required_bytes == base.required_bytes - change.saved_bytes for change in changes)
    smaller = next(change for change in changes if change.option == "--context")
    again = msgspec.structs.replace(deployment, options=Options(context_tokens=int(smaller.value)))
    assert predict(NANO, models, again, source="formula").required_bytes == smaller.required_bytes


def test_the_largest_context_fits_and_the_next_does_not() -> None:
    deployment = Deployment(model="m", options=Options())
    tight = find_device("orin-nano-8gb", memory_bytes=4 * GIB)
    answer = largest_fitting(tight, Models(model=LLAMA), deployment, "context")
    assert answer.value is not None
    assert answer.footprint.verdict == "fits"
    more = msgspec.structs.replace(deployment, options=Options(context_tokens=answer.value + 256))
    assert predict(tight, LLAMA, more, source="formula").verdict != "fits"


def test_nothing_fits_nowhere() -> None:
    tiny = find_device(memory_bytes=MIB)
    assert largest_fitting(tiny, Models(model=LLAMA), Deployment(model="m"), "context").value is None


def test_a_sweep_has_a_point_for_every_value() -> None:
    curve = sweep(NANO, Models(model=LLAMA), Deployment(model="m"), "context", steps(2048, 131072))
    assert [point.value for point in curve.points] == [2048, 4096, 8192, 16384, 32768, 65536, 131072]
    assert [point.high_bytes for point in curve.points] == sorted(point.high_bytes for point in curve.points)
    assert curve.points[0].verdict == "fits"
    assert curve.points[-1].verdict == "no"


@pytest.mark.parametrize(("first", "last"), [(0, 8), (8, 4)])
def test_an_empty_range_is_refused(first: int, last: int) -> None:
    with pytest.raises(UsageError):
        steps(first, last)


def test_cuda_moves_the_weights_and_widens_the_error_bar() -> None:
    cpu, cuda = formula(Options()), formula(Options(backend="cuda"))
    assert high(cuda, "runtime") > high(cpu, "runtime")
    weights = next(term for term in cuda.terms if term.name == "weights")
    assert {part.name for part in weights.parts} == {"in a CPU buffer", "in GPU buffers"}
    assert weights.evictable_bytes == 0


def test_a_draft_counts_as_a_second_model_and_its_vocabulary_is_compared() -> None:
    draft = find_model("TinyLlama-1.1B", format="Q4_K_M")
    models = Models(model=LLAMA, draft=draft)
    alone = predict(NANO, LLAMA, Deployment(model="m"), source="formula")
    both = predict(NANO, models, Deployment(model="m", draft="TinyLlama-1.1B"), source="formula")
    own = predict(NANO, draft, Deployment(model="d"), source="formula")
    (runtime,) = (term for term in own.terms if term.name == "runtime")
    tables = next(part.bytes for part in runtime.parts if part.name == "context tables")
    besides = ("weights", "kv_cache", "compute_buffers", "work_buffer", "output_buffer", "tokenizer")
    assert high(both, "draft") == sum(high(own, name) for name in besides) + tables
    assert both.required_bytes > alone.required_bytes
    assert any("vocabulary of its target" in warning for warning in both.warnings)
    same = Models(model=LLAMA, draft=find_model("Llama-3.2-1B", format="Q4_K_M"))
    assert not predict(NANO, same, Deployment(model="m", draft="Llama-3.2-1B"), source="formula").warnings


def test_a_chosen_batch_above_the_context_is_warned_of() -> None:
    assert any(
        "above the context" in warning for warning in formula(Options(context_tokens=512, batch_tokens=1024)).warnings
    )
    assert not formula(Options(context_tokens=512)).warnings


# a row of logits a slot is reserved however few tokens are computed at once
FEW = [
    Options(context_tokens=2048, slots=7, batch_tokens=128, ubatch_tokens=1),
    Options(context_tokens=2048, slots=4, batch_tokens=1, output_rows=4),
    Options(context_tokens=1, slots=3, unified_kv=True, output_rows=5),
]


@pytest.mark.parametrize("options", FEW)
def test_slots_may_be_more_than_the_tokens_computed_at_once(options: Options) -> None:
    assert high(formula(options), "output_buffer") >= 4 * 128256 * options.slots


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
@pytest.mark.parametrize("options", FEW)
def test_the_engine_is_asked_for_no_fewer_rows_than_slots(options: Options) -> None:
    footprint = estimate("SmolLM2-135M", format="Q4_K_M", options=options, source="both", relief=False)
    assert high(footprint, "output_buffer") == 4 * 49152 * options.slots


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
def test_on_this_machine_the_engine_s_own_build_decides_what_is_rearranged() -> None:
    here = find_device()
    shown = msgspec.structs.replace(here, instructions=("avx2", "avx512", "avx512_vnni", "amx_int8"))
    none = msgspec.structs.replace(here, instructions=())
    weights = {
        term.parts
        for device in (here, shown, none)
        for term in estimate("SmolLM2-135M", format="Q4_K_M", device=device, relief=False).terms
        if term.name == "weights"
    }
    assert len(weights) == 1
