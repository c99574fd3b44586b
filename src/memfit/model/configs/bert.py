"""BERT encoders: learned positions, norms behind each half, biases everywhere."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._encoders import encoder_top
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Every token sees every other; what stands on top depends on ``architectures``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=12, width=768, feed_forward=3072, heads=12, vocabulary=30522, context=512)
    metadata = sizes.metadata() | {"tokenizer.ggml.token_type_count": config.integer("type_vocab_size", default=2)}
    return text(
        config,
        "bert",
        metadata,
        tied=tied(config, default=True),
        tokenizer="bert",
        more=encoder_top(config, sizes, "BertLMHeadModel", pools=("BertModel", "BertForPreTraining")),
        output=False,
    )


CONFIG = Config(
    model_type="bert",
    summary="BERT, MiniLM, BGE and other embedding models",
    source=transformers("bert"),
    read=read,
)
