"""GPT-2: learned positions, biases everywhere."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._text import Sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Full attention and a plain feed-forward in every layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width = config.integer("n_embd", "hidden_size", default=768)
    heads = config.integer("n_head", "num_attention_heads", default=12)
    if width % heads:
        raise config.malformed("n_head", f"is {heads}, which does not divide n_embd {width}")
    sizes = Sizes(
        layers=config.integer("n_layer", "num_hidden_layers", default=12, most=MOST_LAYERS),
        width=width,
        feed_forward=config.integer("n_inner", default=4 * width),
        heads=heads,
        kv_heads=heads,
        head=width // heads,
        vocabulary=config.integer("vocab_size", default=50257),
        context_tokens=config.integer("n_positions", "max_position_embeddings", default=1024),
    )
    return text(config, "gpt2", sizes.metadata(), tied=tied(config, default=True))


CONFIG = Config(
    model_type="gpt2",
    summary="GPT-2",
    source=transformers("gpt2"),
    read=read,
)
