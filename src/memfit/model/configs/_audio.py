"""Whisper's encoder for sound, which Voxtral has too.

Tensors follow ``WhisperEncoder``, transformers 5.23.0 models/whisper/modeling_whisper.py.
"""

from __future__ import annotations

from memfit.model.configs._tower import Encoder, Tensors, attention, convolution, norm, plain_mlp, table
from memfit.model.shape import Tower

TAPS = 3  # kernel_size of both convolutions


def audio_tower(sizes: Encoder, projector: str, *, bands: int, merge: int = 0) -> Tower:
    """The record of the encoder; ``bands`` of the spectrum, ``merge`` frames that become one token."""
    return Tower(
        kind="audio",
        projector=projector,
        layers=sizes.layers,
        embedding_length=sizes.width,
        feed_forward_length=sizes.feed_forward,
        heads=sizes.heads,
        kv_heads=sizes.heads,
        merge_size=merge,
        mel_bins=bands,
    )


def whisper_encoder(sizes: Encoder, bands: int, positions: int) -> Tensors:
    """Two convolutions, positions, and blocks whose key matrices have no bias."""
    yield from convolution("a.conv1d.1", TAPS, bands, sizes.width)
    yield from convolution("a.conv1d.2", TAPS, sizes.width, sizes.width)
    yield from table("a.position_embd.weight", sizes.width, positions)
    for index in range(sizes.layers):
        block = f"a.blk.{index}"
        yield from norm(f"{block}.ln1", sizes.width)
        yield from attention(block, sizes.width, key_bias=False)
        yield from norm(f"{block}.ln2", sizes.width)
        yield from plain_mlp(block, sizes.width, sizes.feed_forward)
    yield from norm("a.post_ln", sizes.width)
