"""Layers that read the KV cache of an earlier one (Gemma 3n, Gemma 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from memfit.errors import Malformed
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer


def share_caches(meta: Metadata, layers: Sequence[Layer], own: int) -> Iterator[Layer]:
    """The first ``own`` layers keep their caches; a later one reads the last such cache of its kind of attention.

    That is layer ``own - 1`` for full attention and ``own - 2`` for a window: ``reuse`` in ``create_memory``,
    llama.cpp src/llama-model.cpp (0c1e57098), which asserts that those two are of these kinds.

    Raises:
        Malformed: fewer than two layers keep a cache, or the last two are not a window and a full one.
    """
    if own < 2:
        raise Malformed(f"only {own} layers keep a KV cache, the others need two to read from", file=meta.file)
    for index, layer in enumerate(layers):
        if index < own or layer.next_token:
            yield layer
            continue
        source = own - (1 if layer.attention == "full" else 2)
        if layers[source].attention != layer.attention:
            raise Malformed(
                f"layer {index} ({layer.attention} attention) would read the KV cache of layer {source},"
                f" which has {layers[source].attention} attention",
                file=meta.file,
            )
        yield msgspec.structs.replace(layer, cache_of=source)
