"""Whisper: an encoder for sound, and a decoder that looks at its output."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from memfit.model.architectures import Plan, TensorSpec
from memfit.model.configs._audio import audio_tower, whisper_encoder
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._text import text_without_card, tied
from memfit.model.configs._tower import Encoder, join
from memfit.model.shape import Layer


def read(config: Section) -> Checkpoint:
    """The decoder as the text half; the encoder too where ``architectures`` names a class that has one.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("d_model", "hidden_size", default=384)
    decoder = _half(config, "decoder", width)
    vocabulary = config.integer("vocab_size", default=51865)
    positions = config.integer("max_target_positions", default=448)
    tied_output = tied(config, default=True)
    layers = tuple(
        Layer(
            heads=decoder.heads,
            kv_heads=decoder.heads,
            key_length=width // decoder.heads,
            value_length=width // decoder.heads,
            cache_of=index,
            feed_forward_length=decoder.feed_forward,
        )
        for index in range(decoder.layers)
    )
    half = text_without_card(
        config,
        Plan(layers=layers),
        _decoder(decoder, vocabulary, positions, tied=tied_output),
        width=width,
        vocabulary=vocabulary,
        context_tokens=positions,
        tied=tied_output,
    )
    # without a name, transformers' AutoModelForCausalLM takes the decoder alone
    if (config.strings("architectures") or ("WhisperForCausalLM",))[0] == "WhisperForCausalLM":
        return half  # a language model
    encoder = _half(config, "encoder", width)
    bands, frames = config.integer("num_mel_bins", default=80), config.integer("max_source_positions", default=1500)
    tower = audio_tower(encoder, "whisper", bands=bands)
    whole = join(config, half, (tower,), whisper_encoder(encoder, bands, frames))
    return msgspec.structs.replace(whole, speech=True)


def _half(config: Section, name: str, width: int) -> Encoder:
    heads = config.integer(f"{name}_attention_heads", default=6)
    if width % heads:
        raise config.malformed(f"{name}_attention_heads", f"is {heads}, which does not divide d_model {width}")
    return Encoder(
        layers=config.integer(f"{name}_layers", default=4, most=MOST_LAYERS),
        width=width,
        feed_forward=config.integer(f"{name}_ffn_dim", default=1536),
        heads=heads,
    )


def _decoder(sizes: Encoder, vocabulary: int, positions: int, *, tied: bool) -> Iterator[TensorSpec]:
    width = sizes.width
    yield "token_embd.weight", (width, vocabulary)
    yield "position_embd.weight", (width, positions)
    for index in range(sizes.layers):
        block = f"blk.{index}"
        yield from _norm(f"{block}.attn_norm", width)
        yield from _attention(f"{block}.attn", width)
        yield from _norm(f"{block}.cross_attn_norm", width)
        yield from _attention(f"{block}.cross_attn", width)
        yield from _norm(f"{block}.ffn_norm", width)
        yield f"{block}.ffn_up.weight", (width, sizes.feed_forward)
        yield f"{block}.ffn_up.bias", (sizes.feed_forward,)
        yield f"{block}.ffn_down.weight", (sizes.feed_forward, width)
        yield f"{block}.ffn_down.bias", (width,)
    yield from _norm("output_norm", width)
    if not tied:
        yield "output.weight", (width, vocabulary)


def _norm(name: str, width: int) -> Iterator[TensorSpec]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _attention(name: str, width: int) -> Iterator[TensorSpec]:
    for part in ("q", "k", "v", "output"):
        yield f"{name}_{part}.weight", (width, width)
        if part != "k":
            yield f"{name}_{part}.bias", (width,)


CONFIG = Config(
    model_type="whisper",
    summary="Whisper, all sizes",
    source=transformers("whisper"),
    read=read,
)
