"""Models whose graph overflows the engine's table of tensors under some options: it aborts there, in a real run too.

The scheduler's table has room for the next prime above ``max(1024, 8 × tensors)`` (``graph_max_nodes``,
src/llama-context.cpp; ``ggml_hash_size`` and the abort in ``ggml_hash_insert``, ggml/src/ggml.c and ggml-impl.h,
0c1e57098). Architectures with many operations for their number of tensors come near it, and a quantized cache adds a
rotation to every layer. Counted in the engine's own graphs of 8 and 12 layers under every kind of cache; of all cards
in the catalog only these two architectures come above four fifths of their table.
"""

from __future__ import annotations

import bisect

from memfit.engine._llama_cpp.settings import is_quantized, resolve
from memfit.engine._llama_cpp.symbols import lengths, rotation_width
from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.model.shape import ModelShape

# operations a layer with flash attention, one sequence and an F16 cache; and those beside the layers
_OPERATIONS = {"granitemoe": (61, 8), "phi3": (29, 6)}
_LEAFS_A_LAYER = 2  # K and V of the cache, beside the weights
_INPUTS = 7
# what a layer has more of
_ROTATED = 6  # each of K and V: a quantized cache is rotated, and the rotation is one leaf more
_CAST = 1  # each of K and V in F32: flash attention casts it
_WITHOUT_FLASH = 5
_STREAMS_FLASH, _STREAMS = 2, 1
# the primes that ggml_hash_size chooses from
_PRIMES = (1031, 2053, 4099, 8209, 16411, 32771, 65537, 131101)


def check_graph_table(shape: ModelShape, options: Options) -> None:
    """Refuse what the engine would abort on.

    Raises:
        UsageError: the graph has more tensors than the engine's table.
    """
    if shape.architecture not in _OPERATIONS or not shape.tensors:
        return
    has, room = graph_tensors(shape, options), table_room(len(shape.tensors))
    if has > room:
        raise UsageError(
            f"llama.cpp aborts on {shape.name} with these options: its graph has {has} tensors, and the engine's table"
            f" takes {room}",
            hint="keep the KV cache in F16 (--kv-type F16), and flash attention on",
        )


def table_room(tensors: int) -> int:
    """Tensors that the scheduler's table takes, of a model with this many."""
    wanted = max(1024, 8 * tensors)
    return _PRIMES[min(bisect.bisect_left(_PRIMES, wanted), len(_PRIMES) - 1)]


def graph_tensors(shape: ModelShape, options: Options) -> int:
    """Operations, weights, caches and inputs of the largest graph; of the architectures that were counted."""
    a_layer, beside = _OPERATIONS[shape.architecture]
    layers, leafs = len(shape.trunk), len(shape.tensors) + _INPUTS
    streams = resolve(shape, options).streams > 1
    flash = options.flash_attention
    a_layer += (_STREAMS_FLASH if flash else _STREAMS) * streams + (0 if flash else _WITHOUT_FLASH)
    for format_name, field in ((options.kv_type_k, "key_length"), (options.kv_type_v, "value_length")):
        if is_quantized(format_name) and rotation_width(lengths(shape, field)):
            a_layer += _ROTATED
            leafs += 1
        elif format_name.upper() == "F32" and flash:
            a_layer += _CAST
    return layers * (a_layer + _LEAFS_A_LAYER) + beside + leafs
