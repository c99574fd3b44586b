"""Qwen3.5 and Qwen3.6, with experts: a vision encoder before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import join
from memfit.model.configs._vision_qwen import qwen3_vision


def read(config: Section) -> Checkpoint:
    """The text half and the vision encoder.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "qwen3_5_moe_text", tied=config.flag("tie_word_embeddings"))
    tower, tensors = qwen3_vision(config.inner("vision_config"), stacks=False)
    return join(config, half, (tower,), tensors)


CONFIG = Config(
    model_type="qwen3_5_moe",
    summary="Qwen3.5 and Qwen3.6, with experts",
    source=transformers("qwen3_5_moe"),
    read=read,
)
