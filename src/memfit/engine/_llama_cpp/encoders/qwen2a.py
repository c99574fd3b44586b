"""Qwen2-Audio: Whisper with averaged pairs of frames, one matrix."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector
from memfit.engine._llama_cpp.encoders._whisper import Whisper


def graph(encoder: Encoder) -> Whisper:
    """One matrix behind the layers."""
    built = Whisper(encoder, pooled=True)
    built.expand(built.product(built.listened(), encoder.outputs("mm.a.fc.weight")))
    return built


PROJECTOR = Projector(
    name="qwen2a",
    summary="Qwen2-Audio, and the ears of Qwen2.5-Omni",
    source="llama.cpp tools/mtmd/models/whisper-enc.cpp @ 0c1e57098",
    graph=graph,
)
