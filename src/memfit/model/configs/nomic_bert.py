"""Nomic BERT: rotary positions and a gated feed-forward."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._encoders import encoder_top
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._text import Sizes, head_length, text, tied


def read(config: Section) -> Checkpoint:
    """Every token sees every other; what stands on top depends on ``architectures``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    # the code that came with the first releases has GPT-2's names
    width = config.integer("hidden_size", "n_embd", default=768)
    heads = config.integer("num_attention_heads", "n_head", default=12)
    head = head_length(config, width, heads)
    sizes = Sizes(
        layers=config.integer("num_hidden_layers", "n_layer", default=12, most=MOST_LAYERS),
        width=width,
        feed_forward=config.integer("intermediate_size", "n_inner", default=3072),
        heads=heads,
        kv_heads=heads,
        head=head,
        vocabulary=config.integer("vocab_size", default=30528),
        context_tokens=config.integer("max_position_embeddings", "n_positions", default=2048),
    )
    metadata = sizes.metadata() | {"tokenizer.ggml.token_type_count": config.integer("type_vocab_size", default=2)}
    return text(
        config,
        "nomic-bert",
        metadata,
        tied=tied(config, default=True),
        tokenizer="bert",
        more=encoder_top(config, sizes, "NomicBertModel"),
        output=False,
    )


CONFIG = Config(
    model_type="nomic_bert",
    summary="Nomic Embed Text v1 and v1.5",
    source=transformers("nomic_bert"),
    read=read,
)
