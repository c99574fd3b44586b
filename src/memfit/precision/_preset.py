"""The record of a quantization preset: the formats that llama.cpp's quantizer mixes under one name.

``llama-quantize model.gguf Q4_K_M`` does not store every tensor as Q4_K: the engine gives more bits to the tensors and
layers that suffer most. A preset's file holds exactly those choices as rules, so it reads as what the preset does.

Source of every choice: llama.cpp src/llama-quant.cpp, ``llama_tensor_get_type_impl`` (0c1e57098).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Part = Literal[
    "output",
    "embedding",
    "attention_q",
    "attention_k",
    "attention_v",
    "attention_output",
    "ffn_up",
    "ffn_gate",
    "ffn_down",
    "other",
]

SCOREBOARD = (
    "llama.cpp tools/perplexity/README.md, LLaMA 3 8b scoreboard (0c1e57098; revision f364eb6f, wikitext-2, CUDA)"
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a model a tensor sits: what a rule may look at.

    Attributes:
        part: the role of the tensor; a fused QKV and the KV projection of latent attention count as ``attention_v``.
        stacked: it holds one matrix for each expert (or, for latent attention, each head).
        nth: how many tensors of this part came before it in the engine's order.
        index: its layer as the engine counts: ``nth``, but for the feed-forward of a mixture of experts the number in
            the tensor's name.
        count: what ``index`` runs up to: the model's ``attention_v`` tensors for those, its layers for the rest.
        sharing: query heads for each key/value head in the first layer, 0 without attention.
        experts: experts in a layer, 0 for dense models.
        falcon: the one architecture that has choices of its own.
        imatrix: an importance matrix is at hand.
    """

    part: Part
    stacked: bool
    nth: int
    index: int
    count: int
    sharing: int
    experts: int
    falcon: bool
    imatrix: bool

    def first(self, fraction: int) -> bool:
        """Whether it lies in the first ``1/fraction`` of the layers."""
        return self.index < self.count // fraction

    @property
    def sensitive(self) -> bool:
        """Whether the engine spends more bits on this layer: the first and last eighth, and every third between."""
        eighth = self.count // 8
        return self.index < eighth or self.index >= 7 * self.count // 8 or (self.index - eighth) % 3 == 2

    @property
    def middle(self) -> bool:
        """Whether it lies between the first and the last eighth of the layers."""
        return self.count // 8 <= self.index < 7 * self.count // 8

    @property
    def grouped(self) -> bool:
        """Whether four or more query heads share a key/value head: its weights are small, so more bits cost little."""
        return self.sharing >= 4

    @property
    def eight_experts(self) -> bool:
        """Whether the engine's choices for Mixtral, recognised by its eight experts, hold."""
        return self.experts == 8


class Rule(msgspec.Struct, frozen=True):
    """A format for one part of a model, or for every part (None), wherever ``where`` holds."""

    part: Part | None
    format: str
    where: Callable[[Place], bool] = lambda place: True

    def fits(self, place: Place) -> bool:
        """Whether this rule decides for a tensor at that place."""
        return self.part in (None, place.part) and self.where(place)


EIGHT_EXPERTS_OUTPUT = Rule("attention_output", "Q5_K", lambda at: at.eight_experts and not at.falcon)
"""Shared by most presets of 3 and 4 bits: with eight experts attention is a small part of the model."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """A published figure of what a preset costs in quality, on Llama-3-8B and wikitext-2; other models differ.

    Attributes:
        perplexity: of the quantized model; F16 has 6.233.
        kl_divergence: mean Kullback-Leibler divergence from the F16 model's token distribution, in nats a token.
            Keeping the reference logits in 16 bits alone gives 0.00055, which is what the F16 row shows.
        source: where the figure was published.
    """

    perplexity: float
    kl_divergence: float
    source: str = SCOREBOARD


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One name that llama.cpp's quantizer takes, or that a file's ``general.file_type`` stands for.

    Attributes:
        name: as ``llama-quantize`` takes it, ``Q4_K_M``.
        file_type: ``llama_ftype``, the value of ``general.file_type`` in a file (llama.cpp include/llama.h, 0c1e57098).
        base: the format of every tensor that no rule names.
        summary: one line for people.
        aliases: other names, among them the one that the engine's log prints.
        output: the format of the output matrix, or of the embeddings where the model uses those as output.
        embedding: the format of token embeddings that are not the output too; None: as the rules and the base say.
        rules: the choices beyond that, first match wins.
        corrected: the engine's corrections for 70B and eight-expert models come on top.
        imatrix_formats: formats that this preset may not use without an importance matrix, beside those that always
            need one.
        quality, quality_imatrix: published figures without and with an importance matrix, None where there are none.
        recipe: False for files that only converters write: the quantizer offers no such preset.
    """

    name: str
    file_type: int
    base: str
    summary: str
    aliases: tuple[str, ...] = ()
    output: str = "Q6_K"
    embedding: str | None = None
    rules: tuple[Rule, ...] = ()
    corrected: bool = True
    imatrix_formats: tuple[str, ...] = ()
    quality: Quality | None = None
    quality_imatrix: Quality | None = None
    recipe: bool = True

    def format_at(self, place: Place) -> str:
        """The format that the rules give a tensor at that place, the base where none fits."""
        return next((rule.format for rule in self.rules if rule.fits(place)), self.base)
