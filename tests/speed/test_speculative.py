"""Drafting: which models may, what it brings, and from which acceptance on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.boards import BOARDS
from memfit.errors import UsageError
from memfit.model import find_model
from memfit.model.cards import CARDS
from memfit.speed.efficiency import efficiency_of
from memfit.speed.machine import machine_of
from memfit.speed.speculative import break_even, expected_tokens, speculate, speed_up
from memfit.speed.vocabulary import Vocabulary, card_vocabulary, compatible, family_of


@pytest.mark.parametrize(
    ("target", "draft", "verdict"),
    [
        # "LLM Optimization on Jetson" §6.1 drafts for Llama 3.2 with TinyLlama, which has another vocabulary
        ("llama_3_2_3b", "tinyllama_1_1b", "no"),
        ("llama_3_2_3b", "llama_3_2_1b", "yes"),
        ("llama_3_1_8b", "llama_3_2_1b", "yes"),
        ("qwen3_8b", "qwen3_0_6b", "yes"),
        ("qwen3_30b_a3b", "qwen3_0_6b", "yes"),
        ("qwen2_5_7b", "qwen2_5_0_5b", "yes"),  # 152,064 and 151,936: within 128
        ("qwen3_8b", "qwen2_5_0_5b", "no"),
        ("qwen3_5_9b", "qwen3_0_6b", "no"),
        ("llama_2_7b", "tinyllama_1_1b", "yes"),
        ("mistral_7b_v0_3", "tinyllama_1_1b", "no"),
        ("gemma_2_9b", "gemma_2_2b", "yes"),
        ("gemma_3_4b", "gemma_2_2b", "no"),
        ("gemma_3_4b", "gemma_3_1b", "yes"),
        ("smollm2_1_7b", "smollm2_135m", "yes"),
        ("smollm3_3b", "llama_3_2_1b", "unknown"),  # 128,256 both, and nobody told whether the texts are the same
    ],
)
def test_who_drafts_for_whom(target: str, draft: str, verdict: str) -> None:
    found = compatible(card_vocabulary(CARDS.get(target)), card_vocabulary(CARDS.get(draft)))
    assert found.verdict == verdict, found.reason
    assert found.reason


@pytest.mark.parametrize("key", CARDS.keys())
def test_every_model_drafts_for_itself_or_it_is_not_known(key: str) -> None:
    vocabulary = card_vocabulary(CARDS.get(key))
    assert compatible(vocabulary, vocabulary).verdict in ("yes", "unknown")


def test_texts_decide_where_both_are_at_hand() -> None:
    texts = tuple(f"t{number}" for number in range(100))
    one = Vocabulary(model="a", kind="gpt2", tokens=100, texts=texts)
    same = Vocabulary(model="b", kind="gpt2", tokens=100, family="another", texts=texts)
    assert compatible(one, same).verdict == "yes"
    # the first five may differ, as they are special tokens
    assert (
        compatible(one, Vocabulary(model="c", kind="gpt2", tokens=100, texts=("x",) * 5 + texts[5:])).verdict == "yes"
    )
    other = compatible(one, Vocabulary(model="d", kind="gpt2", tokens=100, texts=(*texts[:50], "no", *texts[51:])))
    assert other.verdict == "no"
    assert "token 50" in other.reason


def test_kinds_of_tokenizers_must_be_one() -> None:
    assert (
        compatible(
            Vocabulary(model="a", kind="gpt2", tokens=9, family="f"),
            Vocabulary(model="b", kind="llama", tokens=9, family="f"),
        ).verdict
        == "no"
    )


def test_families_by_name() -> None:
    assert family_of("Qwen/Qwen3-0.6B") == "Qwen3"
    assert family_of("DeepSeek-R1-Distill-Llama-8B") == "Llama 3"
    assert family_of("something else") is None


def test_tokens_a_step() -> None:
    assert expected_tokens(0.0, 4) == 1.0
    assert expected_tokens(1.0, 4) == 5.0
    assert expected_tokens(0.5, 2) == pytest.approx(1 + 0.5 + 0.25)
    with pytest.raises(UsageError):
        expected_tokens(1.1, 4)


def test_the_documents_example() -> None:
    # §6: 50 ms a token, four drafted in about 5 ms, checked in 55: three tokens in 60 ms instead of 150 are 2.5 times
    gain = 3 * 0.050 / 0.060
    assert gain == pytest.approx(2.5)
    # three tokens of five are what an acceptance of 0.74 yields
    assert expected_tokens(0.7413, 4) == pytest.approx(3.0, abs=0.01)
    assert speed_up(0.7413, 4, target_s=0.050, draft_s=0.005 / 4, verify_s=0.055) == pytest.approx(2.5, abs=0.01)


@given(
    drafted=st.integers(1, 16), draft=st.floats(0.001, 0.5), more=st.floats(1.0, 3.0), acceptance=st.floats(0.0, 1.0)
)
def test_above_break_even_it_pays_and_below_it_does_not(
    drafted: int, draft: float, more: float, acceptance: float
) -> None:
    point = break_even(drafted, target_s=1.0, draft_s=draft, verify_s=more)
    gain = speed_up(acceptance, drafted, target_s=1.0, draft_s=draft, verify_s=more)
    if point is None:
        assert gain <= 1.0
    elif acceptance > point + 1e-4:
        assert gain >= 1.0
    elif acceptance < point - 1e-4:
        assert gain <= 1.0


def test_a_small_draft_pays_for_a_large_target_and_not_for_a_small_one() -> None:
    machine = machine_of(BOARDS.get("agx_orin_64gb"))
    efficiency, _ = efficiency_of("tensorrt_edge_llm", machine.chip)
    shapes = {key: find_model(key, format="Q8_0") for key in ("qwen3_8b", "qwen3_1_7b", "qwen3_0_6b")}
    large = speculate(shapes["qwen3_8b"], shapes["qwen3_0_6b"], machine, efficiency)
    small = speculate(shapes["qwen3_1_7b"], shapes["qwen3_0_6b"], machine, efficiency)
    assert large.break_even is not None
    assert small.break_even is not None
    assert large.break_even < small.break_even
    best = {gain.acceptance: gain for gain in large.gains}
    assert 1.3 < best[0.8].speed_up < 4
    assert best[0.3].drafted <= best[0.9].drafted
    assert [gain.speed_up for gain in large.gains] == sorted(gain.speed_up for gain in large.gains)
    assert all(later >= sooner for sooner, later in zip(large.verify_s, large.verify_s[1:], strict=False))


def test_drafting_nothing_is_refused() -> None:
    shape = find_model("qwen3_0_6b", format="Q8_0")
    machine = machine_of(BOARDS.get("agx_orin_64gb"))
    efficiency, _ = efficiency_of("vllm", machine.chip)
    with pytest.raises(UsageError):
        speculate(shape, shape, machine, efficiency, most_drafted=0)
