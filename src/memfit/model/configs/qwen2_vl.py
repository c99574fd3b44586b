"""Qwen2-VL: a vision encoder of its own before the graph of Qwen2."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import join
from memfit.model.configs._vision_qwen import qwen2_vision


def read(config: Section) -> Checkpoint:
    """The text half, which old configs hold at their top, and the vision encoder.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    whole = config.flag("tie_word_embeddings")
    half = read_text(config, "qwen2_vl_text", tied=True if whole else None, flat=True)
    tower, tensors = qwen2_vision(config.inner("vision_config"))
    return join(config, half, (tower,), tensors)


CONFIG = Config(
    model_type="qwen2_vl",
    summary="Qwen2-VL",
    source=transformers("qwen2_vl"),
    read=read,
)
