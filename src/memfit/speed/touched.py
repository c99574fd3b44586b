"""Bytes that a step touches in DRAM: weights as stored, chosen experts, the KV cache at its depth, state.

A model is summed up once (``profile``); a step at any depth and for any number of sequences is then arithmetic on a few
groups of alike layers, so that thousands of combinations cost no more than one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Experts:
    """The experts of all layers of which a token uses the same share."""

    share: float
    bytes: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Caches:
    """Layers whose caches have rows of one size and are seen as far; ``window`` 0 is all of the context."""

    key_elements: int
    value_elements: int
    window: int
    readers: int
    owners: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Layers whose attention computes alike: ``width`` is query heads times the numbers of K and V in each."""

    width: int
    window: int
    layers: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A model summed up for speed.

    Attributes:
        shape: the model.
        format: that most of its matrices' numbers are stored in.
        dense_bytes, dense_numbers: of what every token passes through; numbers of matrices alone.
        tables: bytes and rows of the tables of which a token reads one row.
        experts, caches, scores: groups of alike layers.
        output_numbers: of the output matrix.
        state_bytes: recurrent state of one sequence.
        layers, expert_layers: that run for every token, and those of them with experts.
    """

    shape: ModelShape
    format: str
    dense_bytes: int
    dense_numbers: int
    tables: tuple[tuple[int, int], ...]
    experts: tuple[Experts, ...]
    caches: tuple[Caches, ...]
    scores: tuple[Scores, ...]
    output_numbers: int
    state_bytes: int
    layers: int
    expert_layers: int


def profile(shape: ModelShape) -> Profile:
    """Sum up a model, its tensors in the format they are stored in.

    Next-token heads and the encoders of vision and sound are no part of a token.
    """
    skipped = {index for index, layer in enumerate(shape.layers) if layer.next_token}
    dense_bytes = dense_numbers = output = 0
    tables: list[tuple[int, int]] = []
    experts: dict[float, list[int]] = defaultdict(lambda: [0, 0])
    expert_blocks: set[int | None] = set()
    stored = Counter[str]()
    output_name = _TIED if shape.tied_embeddings else _OUTPUT
    for tensor in shape.tensors:
        block = _block(tensor)
        if block in skipped or _TOWER.match(tensor.name):
            continue
        matrix = tensor.elements if len(tensor.dims) > 1 else 0
        stored[tensor.format] += matrix
        output += matrix if output_name.fullmatch(tensor.name) else 0
        if _EXPERT.search(tensor.name):
            expert_blocks.add(block)
            known = block is not None and block < len(shape.layers)
            group = experts[active_share(shape.layers[block] if known and block is not None else None)]
            group[0] += tensor.bytes
            group[1] += tensor.elements
        elif _looked_up(tensor, shape):
            rows = 1
            for size in tensor.dims[1:]:
                rows *= size
            tables.append((tensor.bytes, rows))
        else:
            dense_bytes += tensor.bytes
            dense_numbers += matrix
    return Profile(
        shape=shape,
        format=stored.most_common(1)[0][0] if stored else "F16",
        dense_bytes=dense_bytes,
        dense_numbers=dense_numbers,
        tables=tuple(tables),
        experts=tuple(Experts(share, size, numbers) for share, (size, numbers) in sorted(experts.items())),
        caches=_caches(shape),
        scores=_scores(shape),
        output_numbers=output,
        state_bytes=sum(F32_BYTES * (layer.convolution_elements + layer.state_elements) for layer in shape.trunk),
        layers=len(shape.trunk),
        expert_layers=len(expert_blocks),
    )


def touched(
    model: ModelShape | Profile,
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
    of a group.

    Raises:
        UsageError: a negative depth, no sequence, or no token.
        UnknownName: no such KV format.
    """
    if depth_tokens < 0 or sequences < 1 or tokens < 1:
        raise UsageError(
            f"{sequences} sequences of {tokens} new tokens at a depth of {depth_tokens} are no step",
            hint="at least one sequence, one token, and no negative depth",
        )
    summed = model if isinstance(model, Profile) else profile(model)
    count = sequences * tokens
    experts = numbers = multiplied = 0.0
    for group in summed.experts:
        read = chosen_share(group.share, count)
        experts += group.bytes * read
        numbers += group.numbers * read
        multiplied += group.numbers * group.share * count
    seen = depth_tokens + tokens // 2 + (0 if tokens > 1 else 1)
    attention = sum(2 * group.width * _within(seen, group.window) * group.layers for group in summed.scores)
    return Touched(
        tokens=count,
        weights_bytes=summed.dense_bytes + sum(size * min(count, rows) // rows for size, rows in summed.tables),
        experts_bytes=round(experts),
        kv_bytes=sequences * kv_step_bytes(summed, depth_tokens, tokens, kv_type_k, kv_type_v),
        state_bytes=2 * sequences * summed.state_bytes,
        numbers=summed.dense_numbers + round(numbers),
        flops=2 * (summed.dense_numbers * count + round(multiplied)) + count * attention,
        layers=summed.layers,
        expert_layers=summed.expert_layers,
    )


def prompt(
    model: ModelShape | Profile,
    prompt_tokens: int,
    *,
    chunk_tokens: int,
    sequences: int = 1,
    kv_type_k: str = "F16",
    kv_type_v: str = "F16",
) -> tuple[Touched, ...]:
    """The steps of a prompt that is computed ``chunk_tokens`` at a time; the last may be shorter.

    The output matrix is multiplied for the last token of a prompt alone.

    Raises:
        UsageError: no tokens, or chunks of none.
    """
    if prompt_tokens < 1 or chunk_tokens < 1:
        raise UsageError(
            f"a prompt of {prompt_tokens} tokens in chunks of {chunk_tokens}", hint="both must be at least 1"
        )
    summed = model if isinstance(model, Profile) else profile(model)
    steps = []
    for start in range(0, prompt_tokens, chunk_tokens):
        size = min(chunk_tokens, prompt_tokens - start)
        step = touched(
            summed,
            depth_tokens=start,
            sequences=sequences,
            tokens=size,
            kv_type_k=kv_type_k,
            kv_type_v=kv_type_v,
        )
        # of the rows that the output matrix could give, the last is asked for
        asked = 1 if start + size == prompt_tokens else 0
        spared = 2 * summed.output_numbers * sequences * (size - asked)
        steps.append(msgspec.structs.replace(step, flops=max(step.flops - spared, 0)))
    return tuple(steps)


def chosen_share(active: float, tokens: int) -> float:
    """The share of experts that at least one of ``tokens`` tokens chooses, if each chooses that share at random.

    Real routers favour some experts, so this is the most that is read.
    """
    return 1.0 - (1.0 - active) ** tokens


def active_share(layer: Layer | None) -> float:
    """The share of a layer's experts that one token chooses; all of them where nothing is known of the layer."""
    if layer is None or not layer.experts:
        return 1.0
    return min(1.0, layer.experts_active / layer.experts)


def kv_step_bytes(
    model: ModelShape | Profile, depth_tokens: int, tokens: int, kv_type_k: str = "F16", kv_type_v: str = "F16"
) -> int:
    """Cached rows that one sequence reads and writes in a step of ``tokens`` at this depth.

    Raises:
        UnknownName: no such format.
    """
    caches = model.caches if isinstance(model, Profile) else _caches(model)
    return sum(
        (_row_bytes(kv_type_k, group.key_elements) + _row_bytes(kv_type_v, group.value_elements))
        * (group.readers * _within(depth_tokens, group.window) + group.owners * tokens)
        for group in caches
    )


def _caches(shape: ModelShape) -> tuple[Caches, ...]:
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for index, layer in enumerate(shape.layers):
        if layer.next_token or layer.cache_of is None or layer.attention == "none":
            continue
        group = groups[layer.key_elements, layer.value_elements, _window(layer, shape)]
        group[0] += 1
        group[1] += layer.cache_of == index
    return tuple(Caches(*sizes, *counts) for sizes, counts in groups.items())


def _scores(shape: ModelShape) -> tuple[Scores, ...]:
    groups = Counter(
        (layer.heads * (layer.key_length + layer.value_length), _window(layer, shape))
        for layer in shape.trunk
        if layer.attention != "none" and layer.heads
    )
    return tuple(Scores(width, window, count) for (width, window), count in groups.items())


def _window(layer: Layer, shape: ModelShape) -> int:
    return shape.window_tokens if layer.attention in ("sliding", "chunked") else 0


def _within(tokens: int, window: int) -> int:
    return min(tokens, window) if window else tokens


# of caches that are no tensors of a GGUF file: a number takes a byte, as with these
_KV_ALIKE = {"FP8": "I8", "INT8": "I8"}


def _row_bytes(name: str, elements: int) -> int:
    kind = FORMATS.get(_KV_ALIKE.get(name, name))
    return -(-elements // kind.block_elements) * kind.block_bytes


def _looked_up(tensor: Tensor, shape: ModelShape) -> bool:
    if not _TABLES.fullmatch(tensor.name):
        return False
    return not (shape.tied_embeddings and _TIED.fullmatch(tensor.name))


def _block(tensor: Tensor) -> int | None:
    found = _BLOCK.match(tensor.name)
    return None if found is None else int(found[1] or found[2])
