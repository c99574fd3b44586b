"""What stands on top of an encoder: a pooler, or a head that predicts masked tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from memfit.model.architectures import TensorSpec
from memfit.model.configs._section import Section
from memfit.model.configs._text import Sizes


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
    if name.endswith(("ForMaskedLM", "LMHeadModel")):
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
