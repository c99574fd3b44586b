"""The configs of Whisper's sizes, which differ in a few numbers."""

from __future__ import annotations

from typing import Any

from memfit.model.speech._speech import Speech

_HEAD_LENGTH = 64  # in every size
_WIDENING = 4  # the feed-forward half of a layer, in widths


def whisper(
    size: str,
    parameters: int,
    *,
    width: int,
    layers: int,
    decoder_layers: int | None = None,
    released: str = "2022-09",
    bands: int = 80,
    tokens: int = 51865,
    aliases: tuple[str, ...] = (),
) -> Speech:
    """Whisper in one size.

    Args:
        size: ``tiny`` of ``whisper-tiny``.
        parameters: as the published file holds them.
        width: of both halves.
        layers: of the encoder, and of the decoder where ``decoder_layers`` does not say otherwise.
        decoder_layers: of the decoder.
        released: year and month.
        bands: of the spectrogram.
        tokens: of the vocabulary.
        aliases: other names.
    """
    half = {"attention_heads": width // _HEAD_LENGTH, "ffn_dim": _WIDENING * width}
    config: dict[str, Any] = {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "d_model": width,
        "encoder_layers": layers,
        "decoder_layers": layers if decoder_layers is None else decoder_layers,
        **{f"{side}_{key}": value for side in ("encoder", "decoder") for key, value in half.items()},
        "num_mel_bins": bands,
        "max_source_positions": 1500,
        "max_target_positions": 448,
        "vocab_size": tokens,
    }
    return Speech(
        name=f"whisper-{size}",
        task="recognition",
        parameters=parameters,
        format="F16",
        config=config,
        source=f"config.json and published description of openai/whisper-{size}",
        released=released,
        aliases=(f"whisper-{size}.en", *aliases) if size in ("tiny", "base", "small", "medium") else aliases,
    )
