"""LFM2-VL: SigLIP 2 before LFM2."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import Tensors, join, linear, norm
from memfit.model.configs._vision import read_vision


def read(config: Section) -> Checkpoint:
    """The text half, the vision encoder, and the projector, which merges patches.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    whole = config.flag("tie_embedding", "tie_word_embeddings", default=True)
    half = read_text(config, "lfm2", tied=whole)
    merge = config.integer("downsample_factor", default=2, most=16)
    vision = config.inner("vision_config", "siglip2_vision_model")
    tower, tensors = read_vision(vision, "lfm2", merge=merge)
    inner, bias = config.integer("projector_hidden_size", default=2560), config.flag("projector_bias", default=True)
    normed = config.flag("projector_use_layernorm", default=True)

    def projector() -> Tensors:
        width = tower.embedding_length * merge * merge
        if normed:
            yield from norm("mm.input_norm", width)
        yield from linear("mm.1", width, inner, bias=bias)
        yield from linear("mm.2", inner, half.embedding_length, bias=bias)

    return join(config, half, (tower,), tensors, projector())


CONFIG = Config(
    model_type="lfm2_vl",
    summary="LFM2-VL, LFM2.5-VL",
    source=transformers("lfm2_vl"),
    read=read,
)
