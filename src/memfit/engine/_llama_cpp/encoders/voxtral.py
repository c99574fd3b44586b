"""Voxtral: Whisper, four frames to a token."""

from __future__ import annotations

from memfit.engine._llama_cpp.encoders._encoder import Projector
from memfit.engine._llama_cpp.encoders._whisper import two_matrices

PROJECTOR = Projector(
    name="voxtral",
    summary="Voxtral Mini and Small",
    source="llama.cpp tools/mtmd/models/whisper-enc.cpp @ 0c1e57098",
    graph=two_matrices,
)
