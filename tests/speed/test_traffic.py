"""Accesses of fused and unfused operations, against the counts of "LLM Optimization on Jetson"."""

import pytest

from memfit.errors import UsageError
from memfit.model import find_model
from memfit.speed.traffic import ACCESSES, Operation, traffic, unfused_extra_bytes

SHAPE = find_model("llama_3_2_3b", format="Q4_K_M")


@pytest.mark.parametrize(
    ("operation", "unfused", "fused"),
    [("rms_norm", 4, 2), ("swiglu", 6, 2), ("rotary", 4, 2), ("add_norm", 6, 2), ("attention", 4, 0)],
)
def test_the_counts_are_the_documents(operation: Operation, unfused: int, fused: int) -> None:
    assert (ACCESSES[operation].unfused_count, ACCESSES[operation].fused_count) == (unfused, fused)


def test_every_ratio_but_attentions_is_fixed() -> None:
    found = {part.operation: part for part in traffic(SHAPE, 100)}
    assert {name: part.ratio for name, part in found.items() if name != "attention"} == {
        "rms_norm": 2.0,
        "swiglu": 3.0,
        "rotary": 2.0,
        "add_norm": 3.0,
    }


def test_attention_costs_more_unfused_the_deeper_it_is() -> None:
    ratios = [traffic(SHAPE, tokens)[0].ratio or 0 for tokens in (128, 512, 2048)]
    assert ratios[0] < ratios[1] < ratios[2]
    # "~4x the minimum" is what a prompt of some 300 tokens gives
    assert (traffic(SHAPE, 300)[0].ratio or 0) == pytest.approx(4, rel=0.3)


def test_bytes_of_one_operation() -> None:
    norm = next(part for part in traffic(SHAPE, 7) if part.operation == "add_norm")
    # two of them a layer, 3,072 numbers of two bytes for seven tokens
    assert norm.fused_bytes == 2 * (2 * 28) * 2 * 7 * 3072
    assert norm.times == 56


def test_a_fused_engine_spares_what_an_unfused_one_moves() -> None:
    parts = traffic(SHAPE, 512)
    extra = sum(part.unfused_bytes - part.fused_bytes for part in parts if part.operation != "rms_norm")
    assert unfused_extra_bytes(SHAPE, 512) == extra > 0


def test_a_window_bounds_what_attention_reads() -> None:
    gemma = find_model("gemma_3_1b", format="Q4_K_M")
    near, far = (traffic(gemma, 1, depth_tokens=depth)[0].fused_bytes for depth in (10_000, 20_000))
    full = sum(layer.attention == "full" for layer in gemma.trunk)
    row = 2 * 2 * 256  # one head of 256 for K and for V, two bytes
    assert far - near == full * 10_000 * row


def test_nothing_has_no_traffic() -> None:
    with pytest.raises(UsageError):
        traffic(SHAPE, 0)
