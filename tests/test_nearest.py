"""The nearest names: by parts, by words and numbers, by letters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memfit.nearest import nearest

MODELS = (
    "DeepSeek-R1",
    "DeepSeek-R1-Distill-Llama-8B",
    "Gemma-2-2B",
    "Gemma-3-1B",
    "Gemma-3-4B",
    "Llama-2-7B",
    "Llama-3-8B",
    "Llama-3.1-8B",
    "Llama-3.2-1B",
    "Llama-3.2-3B",
    "Llama-3.3-70B",
    "Mistral-7B-v0.3",
    "Mixtral-8x22B",
    "Mixtral-8x7B",
    "Phi-4",
    "Qwen2.5-3B",
    "Qwen3-30B-A3B",
    "Qwen3-4B",
    "Qwen3-8B",
)


def test_the_size_of_another_version_comes_first_then_the_version_in_another_size() -> None:
    assert nearest("Llama 3.3 8B", MODELS) == ("Llama-3.1-8B", "Llama-3-8B", "Llama-3.3-70B")


def test_the_family_decides_before_the_numbers() -> None:
    assert set(nearest("Mixtral 8x3B", MODELS)[:2]) == {"Mixtral-8x7B", "Mixtral-8x22B"}
    assert nearest("gemma 3 2b", MODELS)[:2] == ("Gemma-3-1B", "Gemma-3-4B")
    assert nearest("Phi-5", MODELS)[0] == "Phi-4"


def test_numbers_count_whatever_stands_between_them() -> None:
    assert nearest("qwen_3_8b", MODELS)[0] == "Qwen3-8B"
    assert nearest("Qwen-3:7B", MODELS)[0] == "Qwen3-8B"
    assert nearest("LLAMA3.2 2B", MODELS)[0] in ("Llama-3.2-1B", "Llama-3.2-3B")


def test_what_is_active_is_no_size() -> None:
    assert nearest("Qwen3-A3B", MODELS)[0] == "Qwen3-30B-A3B"
    assert nearest("Qwen3 3B", MODELS)[0] != "Qwen3-30B-A3B"


def test_a_slip_of_letters_is_found_too() -> None:
    assert nearest("Mistrall-7B-v0.3", MODELS)[0] == "Mistral-7B-v0.3"
    assert nearest("zzz", MODELS) == ()


def test_formats_are_told_by_their_letters() -> None:
    assert nearest("q8", ("f16", "q4_0", "q8_0"))[0] == "q8_0"
    assert nearest("iq4nl", ("iq4_nl", "iq4_xs", "q4_k"))[0] == "iq4_nl"


@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=8))
def test_any_text_gives_at_most_three_of_the_known(wanted: str, known: list[str]) -> None:
    found = nearest(wanted, known)
    assert len(found) <= 3
    assert len(set(found)) == len(found)
    assert set(found) <= set(known)
