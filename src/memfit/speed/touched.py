"""Bytes that a step touches in DRAM: weights as stored, chosen experts, the KV cache at its depth, state."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from memfit.errors import UsageError
from memfit.model.shape import Layer, ModelShape, Tensor
from memfit.precision import FORMATS
from memfit.speed.records import Touched

F32_BYTES = 4  # recurrent state is kept in F32 (llama.cpp src/llama-memory-recurrent.cpp, 0c1e57098)

# tables of which a token reads one row: names in GGUF files, and in checkpoints
_TABLES = re.compile(
    r"(?:token_embd|per_layer_token_embd|position_embd|token_types)\.weight"
    r"|(?:.*\.)?(?:embed_tokens|embed_tokens_per_layer|wte|wpe|word_embeddings|position_embeddings)\.weight"
)
_TIED = re.compile(r"token_embd\.weight|(?:.*\.)?(?:embed_tokens|wte|word_embeddings)\.weight")
_OUTPUT = re.compile(r"output\.weight|(?:.*\.)?(?:lm_head|embed_out)\.weight")
_EXPERT = re.compile(r"_exps\.|\.experts\.")
_TOWER = re.compile(r"(?:model\.)?(?:visual|vision_tower|vision_model|audio_tower|multi_modal_projector|mm|v|a)\.")
_BLOCK = re.compile(r"blk\.(\d+)\.|(?:.*\.)?layers\.(\d+)\.")


def touched(
    shape: ModelShape,
    *,
    depth_tokens: int = 0,
    sequences: int = 1,
    tokens: int = 1,
    kv_type_k: str = "F16",
    kv_type_v: str = "F16",
) -> Touched:
    """What one step touches: every sequence at ``depth_tokens`` takes ``tokens`` new ones.

    One token a sequence is decoding; a few are the check of a draft; many are a prompt.

    A cache that several layers share is stored once and read by each of them. Rows are read once for all query heads
    of a group. The output matrix works on one token a sequence in a prompt, and on all where a draft is checked: its
    bytes are the same.

    Raises:
        UsageError: a negative depth, no sequence, or no token.
        UnknownName: no such KV format.
    """
    if depth_tokens < 0 or sequences < 1 or tokens < 1:
        raise UsageError(
            f"{sequences} sequences of {tokens} new tokens at a depth of {depth_tokens} are no step",
            hint="at least one sequence, one token, and no negative depth",
        )
    count = sequences * tokens
    dense, experts, multiplied, numbers = 0, 0.0, 0.0, 0.0
    skipped = {index for index, layer in enumerate(shape.layers) if layer.next_token}
    layers = dict(enumerate(shape.layers))
    for tensor in shape.tensors:
        block = _block(tensor)
        if block in skipped or _TOWER.match(tensor.name):
            continue
        if _EXPERT.search(tensor.name):
            layer = layers.get(-1 if block is None else block)
            experts += tensor.bytes * chosen_share(layer, count)
            numbers += tensor.elements * chosen_share(layer, count)
            multiplied += tensor.elements * count * _active_share(layer)
        elif _looked_up(tensor, shape):
            dense += _rows_bytes(tensor, count)
        else:
            dense += tensor.bytes
            matrix = tensor.elements if len(tensor.dims) > 1 else 0
            numbers += matrix
            multiplied += matrix * count
    attention = sum(_attention_flops(layer, shape, depth_tokens, tokens) for layer in shape.trunk)
    return Touched(
        tokens=count,
        weights_bytes=dense,
        experts_bytes=round(experts),
        kv_bytes=sequences * kv_step_bytes(shape, depth_tokens, tokens, kv_type_k, kv_type_v),
        state_bytes=2 * sequences * sum(_state_bytes(layer) for layer in shape.trunk),
        numbers=round(numbers),
        flops=round(2 * multiplied) + sequences * attention,
        layers=len(shape.trunk),
    )


def prompt(
    shape: ModelShape,
    prompt_tokens: int,
    *,
    chunk_tokens: int,
    sequences: int = 1,
    kv_type_k: str = "F16",
    kv_type_v: str = "F16",
) -> tuple[Touched, ...]:
    """The steps of a prompt that is computed ``chunk_tokens`` at a time; the last may be shorter.

    The output matrix is multiplied for the last token of a prompt alone, so its arithmetic is left out of the chunks.

    Raises:
        UsageError: no tokens, or chunks of none.
    """
    if prompt_tokens < 1 or chunk_tokens < 1:
        raise UsageError(
            f"a prompt of {prompt_tokens} tokens in chunks of {chunk_tokens}", hint="both must be at least 1"
        )
    steps = []
    for start in range(0, prompt_tokens, chunk_tokens):
        size = min(chunk_tokens, prompt_tokens - start)
        step = touched(
            shape,
            depth_tokens=start,
            sequences=sequences,
            tokens=size,
            kv_type_k=kv_type_k,
            kv_type_v=kv_type_v,
        )
        # of the rows that the output matrix could give, the last is asked for
        spared = 2 * _output_elements(shape) * sequences * (size - (1 if start + size == prompt_tokens else 0))
        steps.append(msgspec.structs.replace(step, flops=max(step.flops - spared, 0)))
    return tuple(steps)


def chosen_share(layer: Layer | None, tokens: int) -> float:
    """The share of a layer's experts that at least one of ``tokens`` tokens chooses, if each chooses at random.

    Real routers favour some experts, so this is the most that is read.
    """
    return 1.0 - (1.0 - _active_share(layer)) ** tokens


def kv_step_bytes(shape: ModelShape, depth_tokens: int, tokens: int, kv_type_k: str, kv_type_v: str) -> int:
    """Cached rows that one sequence reads and writes in a step of ``tokens`` at this depth."""
    total = 0
    for index, layer in enumerate(shape.layers):
        if layer.next_token or layer.cache_of is None or layer.attention == "none":
            continue
        row = _row_bytes(kv_type_k, layer.key_elements) + _row_bytes(kv_type_v, layer.value_elements)
        written = tokens if layer.cache_of == index else 0
        total += row * (_seen(layer, shape, depth_tokens) + written)
    return total


def _seen(layer: Layer, shape: ModelShape, depth_tokens: int) -> int:
    if layer.attention in ("sliding", "chunked") and shape.window_tokens:
        return min(depth_tokens, shape.window_tokens)
    return depth_tokens


def _row_bytes(name: str, elements: int) -> int:
    kind = FORMATS.get(name)
    return -(-elements // kind.block_elements) * kind.block_bytes


def _state_bytes(layer: Layer) -> int:
    return F32_BYTES * (layer.convolution_elements + layer.state_elements)


def _attention_flops(layer: Layer, shape: ModelShape, depth_tokens: int, tokens: int) -> int:
    """Q times K and the weights times V, of one sequence; a token sees those before it and itself."""
    if layer.attention == "none" or not layer.heads:
        return 0
    seen = _seen(layer, shape, depth_tokens + tokens // 2) + (0 if tokens > 1 else 1)
    return 2 * layer.heads * (layer.key_length + layer.value_length) * seen * tokens


def _active_share(layer: Layer | None) -> float:
    if layer is None or not layer.experts:
        return 1.0
    return min(1.0, layer.experts_active / layer.experts)


def _looked_up(tensor: Tensor, shape: ModelShape) -> bool:
    if not _TABLES.fullmatch(tensor.name):
        return False
    return not (shape.tied_embeddings and _TIED.fullmatch(tensor.name))


def _rows_bytes(tensor: Tensor, rows: int) -> int:
    table = 1
    for size in tensor.dims[1:]:
        table *= size
    return tensor.bytes * min(rows, table) // max(table, 1)


def _output_elements(shape: ModelShape) -> int:
    wanted = _TIED if shape.tied_embeddings else _OUTPUT
    return _elements(tensor for tensor in shape.tensors if wanted.fullmatch(tensor.name))


def _elements(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.elements for tensor in tensors)


def _block(tensor: Tensor) -> int | None:
    found = _BLOCK.match(tensor.name)
    return None if found is None else int(found[1] or found[2])
