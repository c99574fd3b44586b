"""Gemma 3 with pictures: SigLIP before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import Tensors, join, linear, norm
from memfit.model.configs._vision import read_vision


def read(config: Section) -> Checkpoint:
    """The text half, the vision encoder, and the projector.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "gemma3_text", tied=config.flag("tie_word_embeddings", default=True))
    vision = config.inner("vision_config", "siglip_vision_model")
    tower, tensors = read_vision(vision, "gemma3")
    return join(config, half, (tower,), tensors, _projector(tower.embedding_length, half.embedding_length))


def _projector(width: int, outputs: int) -> Tensors:
    yield from linear("mm.input_projection", width, outputs, bias=False)
    yield from norm("mm.soft_emb_norm", width, bias=False)


CONFIG = Config(
    model_type="gemma3",
    summary="Gemma 3 4B, 12B, 27B",
    source=transformers("gemma3"),
    read=read,
)
