"""Mistral 3 and Ministral 3 with pictures: Pixtral before the text half."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import Tensors, features, join, linear, norm
from memfit.model.configs._vision import read_vision

# sub_configs_defaults of Mistral3Config, which stand where a whole section is absent
DEFAULT = {
    "model_type": "mistral",
    "head_dim": 128,
    "hidden_size": 5120,
    "intermediate_size": 32768,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 40,
    "num_key_value_heads": 8,
    "vocab_size": 131072,
}
VISION = {"model_type": "pixtral", "patch_size": 14, "image_size": 1540}


def read(config: Section) -> Checkpoint:
    """The text half, the vision encoder, and the projector, which merges patches.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "mistral", tied=config.flag("tie_word_embeddings", default=True), defaults=DEFAULT)
    merge = config.integer("spatial_merge_size", default=2, most=16)
    vision = config.section("vision_config", "pixtral")
    if vision is None:
        vision = Section(VISION, file=config.file, path="vision_config.", parent=config)
    tower, tensors = read_vision(vision, "pixtral", merge=merge)
    taken = features(config, "vision_feature_layer", -1)
    bias = config.flag("multimodal_projector_bias")

    def projector() -> Tensors:
        width = tower.embedding_length
        yield from norm("mm.input_norm", width, bias=False)
        yield from linear("mm.patch_merger", width * merge * merge, width, bias=False)
        yield from linear("mm.1", width * taken, half.embedding_length, bias=bias)
        yield from linear("mm.2", half.embedding_length, half.embedding_length, bias=bias)

    return join(config, half, (tower,), tensors, projector())


CONFIG = Config(
    model_type="mistral3",
    summary="Mistral Small 3.1 and 3.2, Ministral 3",
    source=transformers("mistral3"),
    read=read,
)
