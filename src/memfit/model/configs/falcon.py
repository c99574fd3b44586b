"""Falcon 1: many query heads over one key/value head (7B) or a few (40B)."""

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
    width = config.integer("n_embed", "hidden_size", default=4544)
    heads = config.integer("num_attention_heads", "n_head", default=71)
    if width % heads:
        raise config.malformed("num_attention_heads", f"is {heads}, which does not divide hidden_size {width}")
    grouped = config.flag("new_decoder_architecture")
    kv_heads = config.integer("num_kv_heads", "n_head_kv", default=heads) if grouped else heads
    if not grouped and config.flag("multi_query", default=True):
        kv_heads = 1
    if heads % kv_heads:
        raise config.malformed("num_kv_heads", f"is {kv_heads}, which does not divide num_attention_heads {heads}")
    sizes = Sizes(
        layers=config.integer("num_hidden_layers", "n_layer", default=32, most=MOST_LAYERS),
        width=width,
        feed_forward=config.integer("ffn_hidden_size", default=4 * width),
        heads=heads,
        kv_heads=kv_heads,
        head=width // heads,
        vocabulary=config.integer("vocab_size", default=65024),
        context_tokens=config.integer("max_position_embeddings", default=2048),
    )
    parallel = config.flag("parallel_attn", default=True)
    norms = config.integer("num_ln_in_parallel_attn", default=2 if grouped else 1)
    bias = config.flag("bias")
    return text(
        config,
        "falcon",
        sizes.metadata(),
        tied=tied(config, default=True),
        optional=("attn_norm_2",) if not parallel or norms == 2 else (),
        biases=("attn_qkv", "attn_output", "ffn_up", "ffn_down") if bias else (),
        loadable=parallel and not bias and not config.flag("alibi"),
    )


CONFIG = Config(
    model_type="falcon",
    summary="Falcon 7B and 40B",
    source=transformers("falcon"),
    read=read,
)
