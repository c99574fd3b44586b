"""Drafts for a model: which can, what both take, and from which acceptance it pays."""

import pytest

from memfit.device import find_device
from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.fit import Wish
from memfit.fit.drafts import drafts_of, gain_at
from memfit.footprint.estimate import estimate

NX = find_device("orin-nx-16gb")


def test_models_of_one_vocabulary_draft_and_tinyllama_does_not_for_llama_3() -> None:
    found = drafts_of(NX, Wish(), "Llama-3.1-8B")
    assert {row.draft for row in found.drafts} == {"Llama-3.2-1B", "Llama-3.2-3B"}
    told = {one.draft: one.compatibility for one in found.refused}
    assert told["TinyLlama-1.1B"].verdict == "no"
    assert "TinyLlama" in found.refused[0].draft  # what people try comes first


def test_the_order_is_by_what_they_bring_and_each_gain_grows_with_acceptance() -> None:
    found = drafts_of(NX, Wish(), "Llama-3.1-8B")
    gains = [gain_at(row) for row in found.drafts]
    assert gains == sorted(gains, reverse=True)
    for row in found.drafts:
        assert row.speculation is not None
        rates = [gain.speed_up for gain in row.speculation.gains]
        assert rates == sorted(rates)
        assert row.speculation.break_even is not None
        beyond = [gain for gain in row.speculation.gains if gain.acceptance > row.speculation.break_even]
        assert all(gain.speed_up > 1 for gain in beyond)


def test_the_memory_is_what_estimate_says_of_both() -> None:
    found = drafts_of(NX, Wish(), "Llama-3.1-8B")
    row, target = found.drafts[0], found.target
    options = Options(context_tokens=target.at_tokens, output_rows=1, full_window_cache=False, backend="cuda")
    both = estimate(
        "Llama-3.1-8B",
        device=NX,
        format=target.format,
        draft=row.draft,
        options=options,
        profile="server",
        relief=False,
    )
    assert both.required_bytes == row.required_bytes > target.required_bytes


def test_where_no_speed_is_known_the_memory_still_is() -> None:
    found = drafts_of(find_device(None, memory_bytes=8 << 30), Wish(), "Qwen3-4B")
    assert found.drafts
    assert all(row.speculation is None and gain_at(row) == 0 for row in found.drafts)


@pytest.mark.parametrize(
    ("wish", "model", "words"),
    [
        (Wish(engines=("vllm",)), "Qwen3-4B", "llama.cpp only"),
        (Wish(), "DeepSeek-V3", "does not fit alone"),
    ],
)
def test_what_cannot_be_asked_is_said(wish: Wish, model: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        drafts_of(NX, wish, model)
