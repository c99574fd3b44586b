"""The quantities that the sizes of compute buffers are written in, and what a graph's structure depends on.

One letter each for what every model and every context has; other hyperparameters under their GGUF key.
"""

from __future__ import annotations

from collections.abc import Iterable

from memfit.engine._llama_cpp.settings import Settings, is_quantized
from memfit.engine.records import Options
from memfit.model.shape import Layer, ModelShape, Tensor

Values = dict[str, int]

# words of a graph's key
WINDOW = "window"
TOKEN = "token"

ROTATION_STEP = 64  # attn_rot_k and attn_rot_v, src/llama-kv-cache.cpp (0c1e57098)

# what Layer and ModelShape say better than the header
_OTHERWISE = frozenset({"block_count", "context_length", "vocab_size", "embedding_length"})


def model_values(shape: ModelShape, settings: Settings) -> Values:
    """Quantities that are the same for all layers.

    T tokens a sequence, S sequences, O output rows, C cells of a stream, W cells of a window stream, R states kept a
    sequence, N layers, d embedding length, V vocabulary, ``rk`` and ``rw`` widths of the rotation of a quantized K
    cache, of full and of window layers, ``gv`` the widest V of all heads of a layer.
    """
    sequences = settings.slots
    values = {key: value for key, value in shape.dimensions.items() if key not in _OTHERWISE}
    values.update(
        T=-(-settings.ubatch_tokens // sequences),
        S=sequences,
        O=settings.output_rows,
        C=settings.slot_tokens,
        W=settings.window_cells,
        R=settings.rollback_tokens + 1,
        N=len(shape.trunk),
        d=shape.embedding_length,
        V=shape.vocabulary_tokens,
        rk=rotation_width(key_lengths(shape, window=False)),
        rw=rotation_width(key_lengths(shape, window=True)),
        gv=max((_value_elements(layer) for layer in shape.trunk), default=0),
    )
    return values


def layer_values(layer: Layer) -> Values:
    """Quantities of one layer.

    H heads, G key/value heads, K key length, L value length, F feed-forward, E experts, A experts a token, X width of
    an expert, Y width of the shared one.
    """
    return {
        "H": layer.heads,
        "G": layer.kv_heads,
        "K": layer.key_length,
        "L": layer.value_length,
        "F": layer.feed_forward_length,
        "E": layer.experts,
        "A": layer.experts_active,
        "X": layer.expert_length,
        "Y": layer.shared_length,
    }


def layer_kind(layer: Layer) -> str:
    """Layers of one kind have the same graph but for sizes."""
    words: list[str] = [layer.attention]
    if layer.latent_kv:
        words.append("latent")
    if layer.heads and layer.cache_of is None:
        words.append("uncached")
    if layer.convolution_elements or layer.state_elements:
        words.append("state" if layer.state_elements else "convolution")
    if layer.feed_forward_length:
        words.append("dense")
    if layer.experts:
        words.append("expert" if layer.experts_active == 1 else "experts")
    if layer.shared_length:
        words.append("shared")
    return "+".join(words)


def layer_kinds(shape: ModelShape) -> list[str]:
    """The kind of every layer of the trunk, with what depends on the other layers and on its place among them."""
    widest = max((_value_elements(layer) for layer in shape.trunk), default=0)
    kinds = []
    for index, layer in enumerate(shape.trunk):
        words = [layer_kind(layer)]
        if layer.cache_of is not None and layer.cache_of != index:
            words.append("reuses")
        if 0 < _value_elements(layer) < widest:
            words.append("narrow")  # without flash attention its V is padded to the widest
        if index < shape.dimensions.get("n_deepstack_layers", 0):
            words.append("deepstack")
        if index < _SPARSE_LAYERS.get(shape.architecture, 0):
            words.append("sparse")
        if shape.architecture in _REPEATS_HEADS and layer.state_elements and _has_paired_heads(shape):
            words.append("paired")
        if (index + 1) % _UNROTATED_STEP.get(shape.architecture, index + 2) == 0:
            words.append("unrotated")
        if layer.attention == "chunked" and shape.dimensions.get("expert_count") == _UNNORMED_EXPERTS:
            words.append("unnormed")
        kinds.append("+".join(words))
    return kinds


# constants of the engine: n_layer_sparsity (src/models/gemma3n.cpp), n_no_rope_layer_step (src/models/smollm3.cpp)
_SPARSE_LAYERS = {"gemma3n": 10}
_UNROTATED_STEP = {"smollm3": 4}
# repeats key heads where there are fewer than value heads (src/models/qwen3next.cpp)
_REPEATS_HEADS = frozenset({"qwen3next"})
# the number of experts by which the engine knows a model of chunks without norms on its heads (src/models/llama4.cpp)
_UNNORMED_EXPERTS = 128


def _has_paired_heads(shape: ModelShape) -> bool:
    return shape.dimensions.get("ssm.group_count") == shape.dimensions.get("ssm.time_step_rank")


def _value_elements(layer: Layer) -> int:
    return layer.value_length * layer.kv_heads


def layer_roles(shape: ModelShape) -> list[str]:
    """The kind of every layer between its neighbours, ``BEFORE/KIND/AFTER``.

    The engine loads a layer's state when it builds it, which is before the end of the layer before is computed, and
    before any feed-forward layers between. So the neighbours are all layers up to the next that mixes tokens: ``s``
    with state, ``a`` with attention, ``f`` a feed-forward alone, ``-`` where there is none.
    """
    kinds = layer_kinds(shape)
    letters = [_letter(layer) for layer in shape.trunk]
    return [
        f"{_until_mixing(letters[:index][::-1])[::-1]}/{kind}/{_until_mixing(letters[index + 1 :])}"
        for index, kind in enumerate(kinds)
    ]


def _letter(layer: Layer) -> str:
    if layer.state_elements or layer.convolution_elements:
        return "s"
    return "f" if layer.attention == "none" else "a"


def _until_mixing(letters: list[str]) -> str:
    for index, letter in enumerate(letters):
        if letter != "f":
            return "".join(letters[: index + 1])
    return "".join([*letters, "-"])


def tensor_set(shape: ModelShape) -> frozenset[str]:
    """The names of the trunk's tensors without their layers: optional ones add nodes to the graph, or take some away.

    Left out is what adds none: the output matrix, which may be the embedding's, and factors of the rotation.
    """
    global _last_set
    tensors, layers = shape.tensors, len(shape.trunk)
    if _last_set[0] is not tensors or _last_set[1] != layers:
        _last_set = (tensors, layers, _names(tensors, layers))
    return _last_set[2]


# a deployment is asked for again and again with other options while changes are priced: of the last model it is known
_last_set: tuple[tuple[Tensor, ...], int, frozenset[str]] = ((), 0, frozenset())


def _names(tensors: Iterable[Tensor], layers: int) -> frozenset[str]:
    names = set()
    for tensor in tensors:
        first, _, name = tensor.name.partition(".")
        if first == "blk":
            layer, _, name = name.partition(".")
            # most names are there already, from the layers before
            if name not in names and not (layer.isdigit() and int(layer) >= layers):
                names.add(name)
        elif not tensor.name.startswith(("output.weight", "rope_f")):
            names.add(tensor.name)
    return frozenset(names)


def graph_key(shape: ModelShape, options: Options, settings: Settings) -> str:
    """What the graph's structure depends on beside the layers: attention, cache formats, windows, rollback, and slots.

    An architecture whose models may have windows or none has other inputs with them, in layers of full attention too.
    A single token makes some views contiguous, which are then not copied.
    """
    words = ["flash" if options.flash_attention else "plain"]
    if any(layer.cache_of is not None for layer in shape.trunk):
        latent = any(layer.latent_kv for layer in shape.trunk)
        words.append(_format_class(options, options.kv_type_k, lengths(shape, "key_length"), latent))
        words.append(_format_class(options, options.kv_type_v, lengths(shape, "value_length"), latent))
    elif shape.memory == "recurrent":
        words = ["state"]
    if shape.window_tokens:
        words.append(WINDOW)
    if settings.rollback_tokens:
        words.append("rollback")
    if settings.ubatch_tokens == 1:
        words.append(TOKEN)
    return ".".join([*words, _slots(options, settings)])


def several(key: str) -> str:
    """The key of the same graph for more than one token."""
    return key.replace(f".{TOKEN}.", ".")


def _slots(options: Options, settings: Settings) -> str:
    if settings.slots == 1:
        return "one"
    return "unified" if options.unified_kv else "streams"


def _format_class(options: Options, format_name: str, lengths: tuple[int, ...], latent: bool) -> str:
    if not lengths:
        return "half"
    if format_name.upper() == "F32":
        # flash attention casts it to F16, and latent attention without it computes V from the cache
        return "single" if options.flash_attention or latent else "half"
    rotated = is_quantized(format_name) and rotation_width(lengths)
    return "rotated" if rotated else "half"


def rotation_width(lengths: tuple[int, ...]) -> int:
    """Width of the Hadamard rotation of a quantized K cache whose layers have these head lengths; 0 without."""
    if len(set(lengths)) != 1 or not lengths[0] or lengths[0] % ROTATION_STEP:
        return 0
    width = ROTATION_STEP
    while lengths[0] % (2 * width) == 0:
        width *= 2
    return width


def lengths(shape: ModelShape, field: str) -> tuple[int, ...]:
    """The head lengths of the layers that own a cache, of full attention where there are any."""
    found = [(layer.attention, int(getattr(layer, field))) for layer in shape.trunk if layer.cache_of is not None]
    full = tuple(length for attention, length in found if attention == "full")
    return full or tuple(length for _, length in found)


def key_lengths(shape: ModelShape, *, window: bool) -> tuple[int, ...]:
    """Head lengths of K of the layers in the window cache, or of the others."""
    kinds = ("sliding", "chunked") if window else ("full",)
    return tuple(layer.key_length for layer in shape.trunk if layer.cache_of is not None and layer.attention in kinds)
