"""What the readers of Gemma 3n and 4 share: layers that read the KV cache of an earlier one, sizes by layer."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from memfit.model.configs._section import Section
from memfit.model.shape import Layer


def per_layer(config: Section, name: str, count: int, default: int) -> tuple[int, ...]:
    """One number for all layers, or a list with one for each.

    Raises:
        Malformed: a list of another length, or something else.
    """
    if config.is_list(name):
        return config.integers(name, count=count, least=1) or ()
    return (config.integer(name, default=default),) * count


def without(config: Section, name: str) -> Section:
    """The section with one field left out, which is read in another way."""
    values = {key: value for key, value in config.values.items() if key != name}
    return Section(values, file=config.file, path=config.path, model_type=config.model_type, parent=config.parent)


def check_sharing(config: Section, windowed: tuple[bool, ...], own: int) -> int:
    """How many layers keep a cache of their own.

    Raises:
        Malformed: a later layer would find no cache of its kind of attention (``kv_sharing_modes``, transformers 5.23.0
            models/gemma3n/configuration_gemma3n.py).
    """
    if own < len(windowed) and (own < 1 or set(windowed[:own]) != set(windowed)):
        raise config.malformed("num_kv_shared_layers", "leaves layers without a KV cache of their kind to read")
    return own


def reading_tensors(own: int, layers: int) -> tuple[str, ...]:
    """Keys and values of the layers that read another's cache: transformers has none."""
    return tuple(
        f"blk.{index}.{name}.weight" for index in range(own, layers) for name in ("attn_k", "attn_v", "attn_k_norm")
    )


def reading_plan(windowed: tuple[bool, ...], own: int) -> Callable[[int, Layer], Layer]:
    """Which cache each layer reads, for ``text``'s ``layers``: the last of its kind among the first ``own``."""

    def layer(index: int, planned: Layer) -> Layer:
        source = index if index < own else max(at for at in range(own) if windowed[at] == windowed[index])
        return msgspec.structs.replace(planned, cache_of=source)

    return layer
