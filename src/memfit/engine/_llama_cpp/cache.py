"""KV cache and recurrent state, equal to the engine to the byte.

Formulas: llama.cpp src/llama-kv-cache.cpp (constructor), src/llama-kv-cache-iswa.cpp, src/llama-memory-recurrent.cpp
and ``create_memory`` in src/llama-model.cpp, all at 0c1e57098. Proven by ``make conformance`` against the engine.
"""

from __future__ import annotations

import msgspec

from memfit.engine._llama_cpp.settings import Settings, is_quantized, resolve
from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.model.shape import Layer, ModelShape
from memfit.precision import FORMATS, kv_format

F32_BYTES = 4


class LayerCache(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer keeps: bytes of K, V and recurrent state over all slots."""

    index: int
    cells: int
    key_bytes: int
    value_bytes: int
    state_bytes: int


def layer_caches(shape: ModelShape, options: Options, settings: Settings | None = None) -> tuple[LayerCache, ...]:
    """The cache of every layer that keeps one.

    Raises:
        UsageError: KV formats that the engine refuses for this model.
    """
    settings = settings or resolve(shape, options)
    if shape.memory == "none":
        return ()
    _check(shape, options)
    # without flash attention V is stored transposed, all layers padded to the widest
    widest = 0 if options.flash_attention else max((layer.value_elements for layer in shape.layers), default=0)
    caches = (_layer_cache(index, layer, options, settings, widest) for index, layer in enumerate(shape.layers))
    return tuple(cache for cache in caches if cache.key_bytes or cache.value_bytes or cache.state_bytes)


def _layer_cache(index: int, layer: Layer, options: Options, settings: Settings, widest: int) -> LayerCache:
    state_rows = settings.slots * (1 + settings.rollback_tokens)
    state = F32_BYTES * (layer.convolution_elements + layer.state_elements) * state_rows
    if layer.cache_of != index or layer.next_token:
        return LayerCache(
            index=index, cells=0, key_bytes=0, value_bytes=0, state_bytes=0 if layer.next_token else state
        )
    cells = settings.slot_tokens if layer.attention == "full" else settings.window_cells
    rows = cells * settings.streams
    value_elements = (widest or layer.value_elements) if not layer.latent_kv else 0
    return LayerCache(
        index=index,
        cells=cells,
        key_bytes=rows * _row_bytes(options.kv_type_k, layer.key_elements),
        value_bytes=rows * _row_bytes(options.kv_type_v, value_elements),
        state_bytes=state,
    )


def kv_bytes(shape: ModelShape, options: Options) -> int:
    """Bytes of the KV cache of all layers and slots."""
    return sum(cache.key_bytes + cache.value_bytes for cache in layer_caches(shape, options))


def state_bytes(shape: ModelShape, options: Options) -> int:
    """Bytes of recurrent and convolution state of all layers and slots, always F32."""
    return sum(cache.state_bytes for cache in layer_caches(shape, options))


def cuda_scratch_bytes(shape: ModelShape, options: Options) -> int:
    """F16 copies of one layer's quantized K and V that CUDA's flash attention makes for a prompt.

    Taken from the pool at the widest layer (``K_f16``, ``V_f16`` in ggml/src/ggml-cuda/fattn-common.cuh, 0c1e57098).
    """
    if not options.flash_attention or shape.memory == "none":
        return 0
    settings = resolve(shape, options)
    copies = [0]
    for cache in layer_caches(shape, options, settings):
        layer, rows = shape.layers[cache.index], cache.cells * settings.streams
        key = layer.key_elements if is_quantized(options.kv_type_k) else 0
        value = layer.value_elements if is_quantized(options.kv_type_v) else 0
        copies.append(2 * rows * (key + value))
    return max(copies)


def _row_bytes(format_name: str, elements: int) -> int:
    return FORMATS.get(format_name).row_bytes(elements)


def _check(shape: ModelShape, options: Options) -> None:
    """What ``llama_init_from_model`` refuses (src/llama-context.cpp)."""
    if any(layer.latent_kv for layer in shape.layers) and options.kv_type_k != options.kv_type_v:
        raise UsageError(
            f"latent attention keeps K and V in one row: {options.kv_type_k} and {options.kv_type_v} cannot differ",
            hint=f"use --kv-type {options.kv_type_k}",
        )
    for side, name in (("K", options.kv_type_k), ("V", options.kv_type_v)):
        block = kv_format(name).block_elements
        for layer in shape.trunk:
            length = layer.key_length if side == "K" else layer.value_length
            # without flash attention whole rows are stored, so only their length has to divide
            size = length if options.flash_attention else length * layer.kv_heads
            if size % block:
                raise UsageError(
                    f"a {name} {side} cache has blocks of {block} numbers, which do not divide"
                    f" this model's {'heads' if options.flash_attention else 'rows'} of {size}",
                    hint="choose another --kv-type; F16 always works",
                )
