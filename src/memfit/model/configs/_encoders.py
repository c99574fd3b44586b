"""What stands on top of an encoder: a pooler, or a head that predicts masked tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from memfit.model.architectures import TensorSpec
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._section import Section
from memfit.model.configs._text import Sizes, read_sizes, text, tied

RESERVED = 2  # rows of RoBERTa's position table before the first position, which conversions leave out


def encoder_top(config: Section, sizes: Sizes, default: str, *, pools: Collection[str] = ()) -> Iterator[TensorSpec]:
    """The tensors of the class that ``architectures`` names, beyond the encoder's own.

    ``BertModel``, ``BertLMHeadModel`` and ``BertForMaskedLM`` of transformers 5.23.0 models/bert/modeling_bert.py, and
    their counterparts in models/nomic_bert. Other heads are left out.

    Args:
        config: the section.
        sizes: of the encoder.
        default: the class where the config names none.
        pools: the classes that have a pooler.

    Raises:
        Malformed: ``architectures`` is no list of strings.
    """
    name = (config.strings("architectures") or (default,))[0]
    if name.endswith(("ForMaskedLM", "LMHeadModel", "ForCausalLM")):
        yield "cls.transform.weight", (sizes.width, sizes.width)
        yield "cls.transform.bias", (sizes.width,)
        yield "cls.norm.weight", (sizes.width,)
        yield "cls.norm.bias", (sizes.width,)
        if not config.flag("tie_word_embeddings", default=True):
            yield "cls.decoder.weight", (sizes.width, sizes.vocabulary)
            yield "cls.bias", (sizes.vocabulary,)  # the decoder's, which is tied with its matrix
        yield "cls.decoder.bias", (sizes.vocabulary,)
    elif name in pools:
        yield "pooler.weight", (sizes.width, sizes.width)
        yield "pooler.bias", (sizes.width,)


def read_roberta(config: Section, name: str, *, vocabulary: int) -> Checkpoint:
    """RoBERTa and its kin, whose classes are called ``name`` and what they do.

    ``vocabulary`` is the default of ``vocab_size``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=12, width=768, feed_forward=3072, heads=12, vocabulary=vocabulary, context=512)
    rows = sizes.context_tokens
    if rows <= RESERVED:
        raise config.malformed("max_position_embeddings", f"is {rows}, and {RESERVED} rows of that are reserved")
    metadata = sizes.metadata(context_length=rows - RESERVED)
    metadata["tokenizer.ggml.token_type_count"] = config.integer("type_vocab_size", default=2)

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        return (("position_embd.weight", (sizes.width, rows)) if tensor[0] == "position_embd.weight" else tensor,)

    return text(
        config,
        "bert",
        metadata,
        tied=tied(config, default=True),
        tokenizer="bert",
        more=encoder_top(config, sizes, f"{name}ForCausalLM", pools=(f"{name}Model",)),
        adjust=adjust,
        output=False,
    )
