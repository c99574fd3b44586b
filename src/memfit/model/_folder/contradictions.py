"""What no model can be, whoever reads its config: lists of another length, groups that do not divide its rows."""

from __future__ import annotations

from memfit.errors import Malformed
from memfit.model.configs import Checkpoint
from memfit.model.configs._section import Section
from memfit.model.quantizations import Quantization


def check_layer_types(config: Section) -> None:
    """What every config has that lists its layers, whether its reader needs the list or not.

    Raises:
        Malformed: the list is of another length than there are layers, as transformers refuses it.
    """
    text = config.section("text_config")
    for section in (config, *(() if text is None else (text,))):
        count = section.values.get("num_hidden_layers")
        if isinstance(count, int) and section.has("layer_types"):
            section.strings("layer_types", count=count)


def check_groups(checkpoint: Checkpoint, found: Quantization, *, file: str) -> None:
    """Groups of a row's numbers are whole: engines refuse to load others.

    Raises:
        Malformed: the rows of the model are no multiple of the group.
    """
    width = checkpoint.embedding_length
    for weights in found.weights:
        size = weights.group_size
        if weights.strategy == "group" and size and width % size:
            raise Malformed(
                f"quantization_config: group_size is {size}, which does not divide hidden_size {width}",
                file=file,
                hint="the quantization is of another model: download the config again",
            )
