"""Whether one model can draft for another: the same vocabulary, token by token as far as it can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from memfit.model.cards import Card
from memfit.model.shape import ModelShape

# common_speculative_are_compatible, llama.cpp common/speculative.cpp (0c1e57098): sizes may differ by that much, and
# texts are compared from this token on (SPEC_VOCAB_MAX_SIZE_DIFFERENCE, SPEC_VOCAB_CHECK_START_TOKEN_ID)
MOST_SIZE_DIFFERENCE = 128
FIRST_COMPARED = 5

# names whose models share one tokenizer, checked first to last: text of the model's name, family. Models outside of it
# are not said to match, whatever their sizes: equal counts happen by chance (32,000 of Llama 2 and of Mistral)
_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"deepseek-r1-distill-qwen|qwen-?2(?:\.5)?|cosmos-reason1", "Qwen2"),
    (r"qwen-?3[.-]next|qwen-?3(?!\.)|cosmos-reason2", "Qwen3"),
    (r"qwen-?3\.5", "Qwen3.5"),
    (r"tinyllama|llama-?2|vicuna", "Llama 2"),
    (r"deepseek-r1-distill-llama|(?:meta-)?llama-?3", "Llama 3"),
    (r"llama-?4", "Llama 4"),
    (r"gemma-?2-|gemma-2b|gemma-7b", "Gemma 2"),  # the first Gemma has the same 256,000
    (r"gemma-?3", "Gemma 3"),
    (r"gemma-?4", "Gemma 4"),
    (r"smollm-?2|smollm-", "SmolLM2"),
    (r"gpt-oss", "gpt-oss"),
    (r"phi-?3", "Phi-3"),
    (r"lfm-?2", "LFM2"),
    (r"granite-?4", "Granite 4"),
    (r"granite-?3", "Granite 3"),
    (r"olmo-?2", "OLMo 2"),
    (r"ministral-?3", "Ministral 3"),
    (r"falcon-?h1", "Falcon-H1"),
)

Verdict = Literal["yes", "no", "unknown"]


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What a tokenizer maps texts to.

    Attributes:
        model: whose it is.
        kind: ``gpt2`` (byte-pair), ``llama`` (sentencepiece), ``bert``; empty where unknown.
        tokens: how many.
        family: models that share one tokenizer, None where the name tells none.
        texts: every token's text where the tokenizer is at hand.
    """

    model: str
    kind: str
    tokens: int
    family: str | None = None
    texts: tuple[str, ...] | None = None


class Compatibility(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one model can draft for another, and why."""

    verdict: Verdict
    reason: str


def family_of(name: str) -> str | None:
    """The models that share this one's tokenizer; None where the name tells none."""
    folded = re.sub(r"[\s_]+", "-", name.lower())
    return next((family for pattern, family in _FAMILIES if re.search(pattern, folded)), None)


def vocabulary_of(model: ModelShape, *, texts: Sequence[str] | None = None) -> Vocabulary:
    """Of a model that was read."""
    tokenizer = model.tokenizer
    return Vocabulary(
        model=model.name,
        kind=tokenizer.kind if tokenizer is not None else "",
        tokens=model.vocabulary_tokens,
        family=family_of(model.name),
        texts=None if texts is None else tuple(texts),
    )


def card_vocabulary(card: Card) -> Vocabulary:
    """Of a card."""
    size = card.metadata.get("vocab_size", 0)
    return Vocabulary(
        model=card.name,
        kind=card.tokenizer,
        tokens=size if isinstance(size, int) else 0,
        family=family_of(card.name),
    )


def compatible(target: Vocabulary, draft: Vocabulary) -> Compatibility:
    """Whether ``draft`` can draft for ``target``; ``unknown`` where sizes match and nobody told of the texts."""
    pair = f"{draft.model} and {target.model}"
    if target.kind and draft.kind and target.kind != draft.kind:
        return _no(f"{pair} have tokenizers of two kinds, {draft.kind} and {target.kind}")
    if abs(target.tokens - draft.tokens) > MOST_SIZE_DIFFERENCE:
        return _no(f"{draft.model} has {draft.tokens} tokens and {target.model} {target.tokens}")
    if target.texts is not None and draft.texts is not None:
        for number in range(FIRST_COMPARED, min(len(target.texts), len(draft.texts))):
            if target.texts[number] != draft.texts[number]:
                return _no(
                    f"token {number} is {draft.texts[number]!r} in one and {target.texts[number]!r} in the other"
                )
        return Compatibility(verdict="yes", reason=f"{pair} have the same tokens")
    if target.family is None or draft.family is None:
        return Compatibility(verdict="unknown", reason=f"{pair}: sizes match, and whether the tokens do is not known")
    if target.family != draft.family:
        return _no(f"{draft.model} has the tokens of {draft.family} and {target.model} those of {target.family}")
    return Compatibility(verdict="yes", reason=f"both have the tokens of {target.family}")


def _no(reason: str) -> Compatibility:
    return Compatibility(verdict="no", reason=reason)
