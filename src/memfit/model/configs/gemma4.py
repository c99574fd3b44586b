"""Gemma 4: encoders for pictures and sound, where the config has them, before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import join
from memfit.model.configs._towers_gemma4 import gemma4_audio, gemma4_vision


def read(config: Section) -> Checkpoint:
    """The text half, the encoders, and one projector for each.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "gemma4_text", tied=config.flag("tie_word_embeddings", default=True))
    vision, audio = config.section("vision_config", "gemma4_vision"), config.section("audio_config", "gemma4_audio")
    read = [gemma4_vision(vision, half.embedding_length)] if vision is not None else []
    if audio is not None:
        read.append(gemma4_audio(audio, half.embedding_length))
    return join(config, half, tuple(tower for tower, _ in read), *(tensors for _, tensors in read))


CONFIG = Config(
    model_type="gemma4",
    summary="Gemma 4",
    source=transformers("gemma4"),
    read=read,
)
