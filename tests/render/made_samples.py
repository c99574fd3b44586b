"""Records of things that were made or measured here, with figures of real ones."""

from __future__ import annotations

from memfit.model.fabricate import Fabrication, Fallback, FormatShare
from memfit.model.shape import Tokenizer

FABRICATED = Fabrication(
    path="qwen2.5-0.5b.gguf",
    model="Qwen2.5-0.5B, 2 of 24 layers",
    architecture="qwen2",
    format="Q4_K_M",
    parameters=165_960_192,
    layers=2,
    layers_whole=24,
    bytes=165_000_000,
    weights_bytes=160_000_000,
    formats=(
        FormatShare(format="Q8_0", tensors=3, bytes=149_000_000),
        FormatShare(format="Q5_0", tensors=10, bytes=10_990_000),
        FormatShare(format="F32", tensors=11, bytes=10_000),
    ),
    fallbacks=(Fallback(wanted="Q4_K", format="Q5_0", tensors=10), Fallback(wanted="Q6_K", format="Q8_0", tensors=3)),
    vocabulary=Tokenizer(kind="gpt2", tokens=151936, token_bytes=1_100_000, merges=151677, merge_bytes=1_300_000),
    seed=7,
    sha256="3d61826ccb4a" * 5 + "0000",
    duration_s=0.8,
)
