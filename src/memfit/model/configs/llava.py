"""LLaVA 1.5: CLIP before the text half of another model."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import Tensors, features, join, linear
from memfit.model.configs._vision import read_vision

# sub_configs_defaults of LlavaConfig, which stands where the whole section is absent
VISION = {
    "model_type": "clip_vision_model",
    "intermediate_size": 4096,
    "hidden_size": 1024,
    "patch_size": 14,
    "image_size": 336,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
}


def read(config: Section) -> Checkpoint:
    """The text half, the vision encoder, and the projector.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    half = read_text(config, "llama", tied=True if config.flag("tie_word_embeddings") else None)
    vision = config.section("vision_config", "clip_vision_model")
    if vision is None:
        vision = Section(VISION, file=config.file, path="vision_config.", parent=config)
    tower, tensors = read_vision(vision, "mlp")
    taken = features(config, "vision_feature_layer", -2)
    bias = config.flag("multimodal_projector_bias", default=True)

    def projector() -> Tensors:
        yield from linear("mm.0", tower.embedding_length * taken, half.embedding_length, bias=bias)
        yield from linear("mm.2", half.embedding_length, half.embedding_length, bias=bias)

    return join(config, half, (tower,), tensors, projector())


CONFIG = Config(
    model_type="llava",
    summary="LLaVA 1.5",
    source=transformers("llava"),
    read=read,
)
