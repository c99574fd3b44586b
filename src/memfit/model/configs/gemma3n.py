"""Gemma 3n: encoders for pictures and sound before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import join
from memfit.model.configs._towers_gemma3n import gemma3n_audio, gemma3n_vision


def read(config: Section) -> Checkpoint:
    """The text half, the encoders, and what joins each to it.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "gemma3n_text", tied=config.flag("tie_word_embeddings", default=True))
    vision, seen = gemma3n_vision(config.inner("vision_config"), half.embedding_length)
    audio, heard = gemma3n_audio(config.inner("audio_config"), half.embedding_length)
    return join(config, half, (vision, audio), seen, heard)


CONFIG = Config(
    model_type="gemma3n",
    summary="Gemma 3n E2B and E4B",
    source=transformers("gemma3n"),
    read=read,
)
