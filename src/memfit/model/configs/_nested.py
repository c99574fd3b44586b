"""A text half inside a larger model's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memfit.errors import UnknownName
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._section import Section


def read_text(
    config: Section,
    default: str,
    *,
    tied: bool | None,
    name: str = "text_config",
    defaults: Mapping[str, Any] | None = None,
    flat: bool = False,
) -> Checkpoint:
    """The text half by the reader of its own model type.

    Args:
        config: the whole.
        default: model type of the text half where it does not say.
        tied: whether the output matrix is the embedding, which the whole decides; None leaves it to the text half.
        name: the section.
        defaults: what stands for the section where it is absent.
        flat: configs of old releases hold the text half's fields beside the vision section.

    Raises:
        Malformed: a field is of the wrong kind, or a text half that memfit does not know.
    """
    from memfit.model.configs import CONFIGS  # the catalog holds this reader too

    there = config.section(name)
    if there is None and flat:
        values: dict[str, object] = {**config.values, "model_type": default}
        path = config.path
    else:
        values = dict(there.values) if there is not None else dict(defaults or {})
        path = f"{config.path}{name}."
    if tied is not None:
        values["tie_word_embeddings"] = tied
    section = Section(values, file=config.file, path=path, model_type=default, parent=config)
    model_type = section.model_type
    try:
        reader = CONFIGS.get(model_type)
    except UnknownName as unknown:
        hint = f"nearest known: {', '.join(unknown.nearest)}" if unknown.nearest else None
        raise config.malformed(name, f"has model_type {model_type!r}, which memfit does not know", hint=hint) from None
    return reader.read(section)
