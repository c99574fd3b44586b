"""The catalog of models: uses, sources, names that lead to one model, and the page that shows them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from memfit.catalog import fold
from memfit.model._build import layout
from memfit.model.announced import ANNOUNCED
from memfit.model.cards import CARDS
from memfit.model.cards._card import USES, Card
from memfit.model.speech import SPEECH

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from generate_catalog import PAGE, page

MONTH = re.compile(r"20[12]\d-(0[1-9]|1[0-2])")
# what lists of models for edge boards name: each must be answered under this very name
NAMED = (
    "TinyLlama 1.1B|Llama 3.2 1B|StableLM 2 1.6B|Gemma 3 1B|Gemma 2 2B|Qwen3 1.7B|SmolLM2 1.7B|Llama 3.2 3B|Qwen2.5 3B"
    "|Phi-4 Mini|Phi-3 Mini|Qwen3 4B|Gemma 3 4B|Mistral 7B v0.3|Qwen3 8B|Llama 3.1 8B|Mistral Nemo 12B|Phi-4"
    "|Qwen2.5 Coder 3B|Qwen2.5 Coder 14B|Mistral Small 24B|DeepSeek-R1 Distill 32B|Llama 3.3 70B|Qwen3 235B"
    "|DeepSeek V3 671B"
    "|Qwen3 0.6B|Gemma 3 27B|Llama 4 Scout|Llama 4 Maverick|SmolLM2 135M|DeepSeek-R1-Distill-Qwen-1.5B"
    "|DeepSeek-R1 Distill 70B|Nemotron Nano 9B v2|Mixtral 8x22B|Cosmos-Reason2-2B|Qwen3-Embedding-0.6B"
    "|bge-small-en-v1.5"
).split("|")


@pytest.mark.parametrize("card", list(CARDS), ids=lambda card: card.name)
def test_every_card_has_a_use_and_a_source(card: Card) -> None:
    assert card.uses
    assert set(card.uses) <= set(USES)
    assert len(set(card.uses)) == len(card.uses)
    assert card.source
    assert card.released is None or MONTH.fullmatch(card.released)
    assert isinstance(card.aliases, tuple)


@pytest.mark.parametrize("card", list(CARDS), ids=lambda card: card.name)
def test_uses_do_not_contradict_what_the_model_is(card: Card) -> None:
    context = card.metadata["context_length"]
    assert isinstance(context, int)
    if "long_context" in card.uses:
        assert context >= 32768
    if card.metadata.get("attention.causal") is False:
        assert card.uses == ("embedding",)
    if "completion" in card.uses:
        assert "chat" not in card.uses


def test_every_use_but_speech_has_a_model() -> None:
    served = {use for card in CARDS for use in card.uses}
    assert served == set(USES) - {"speech"}
    assert {use for model in SPEECH for use in model.uses} == {"speech"}


def test_a_name_leads_to_one_model() -> None:
    names: dict[str, str] = {}
    for catalog in (CARDS, SPEECH, ANNOUNCED):
        for key, model in catalog.items():
            for name in {fold(model.name), key, *map(fold, model.aliases)}:
                assert names.setdefault(name, model.name) == model.name


@pytest.mark.parametrize("name", NAMED)
def test_models_that_lists_for_the_edge_name_have_a_card(name: str) -> None:
    assert name in CARDS


def test_models_of_one_shape_keep_their_own_names_and_uses() -> None:
    base, coder = CARDS.get("Qwen2.5-7B"), CARDS.get("Qwen2.5-Coder-7B")
    assert base.build() == coder.build()
    assert (coder.name, coder.uses[0], coder.metadata["context_length"]) == ("Qwen2.5-Coder-7B", "code", 32768)
    assert not set(base.aliases) & set(coder.aliases)
    assert base.build() != CARDS.get("Qwen2.5-14B").build()
    assert CARDS.get("bge-small-en-v1.5").build() != CARDS.get("all-MiniLM-L6-v2").build()


@pytest.mark.parametrize(
    ("name", "published", "pooler"),
    [
        ("bge-small-en-v1.5", 33_360_000, 384 * 384 + 384),
        ("bge-base-en-v1.5", 109_482_240, 768 * 768 + 768),
        ("bge-large-en-v1.5", 335_141_888, 1024 * 1024 + 1024),
    ],
)
def test_encoders_have_their_published_parameters_but_the_pooler(name: str, published: int, pooler: int) -> None:
    card = CARDS.get(name)
    count = 0
    for _, dims in layout(card.hyperparameters(), tied=card.tied):
        size = 1
        for length in dims:
            size *= length
        count += size
    assert count == published - pooler


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run tools/generate_catalog.py"
