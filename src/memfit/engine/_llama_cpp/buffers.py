"""What llama.cpp takes beside weights, caches and compute buffers: outputs, tokenizer, tables, saved prompts.

Sources: llama.cpp at 0c1e57098 for what the code allocates, ``tools/measure_tokenizer.py`` for what a heap holds.
"""

from __future__ import annotations

import msgspec

from memfit.engine._llama_cpp.cache import layer_caches
from memfit.engine._llama_cpp.settings import Settings
from memfit.engine.records import Options
from memfit.model.shape import ModelShape, Tokenizer
from memfit.units import MIB


class Range(msgspec.Struct, frozen=True):
    """A figure with its bounds, in bytes."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int


def output_bytes(shape: ModelShape, settings: Settings) -> int:
    """Logits kept for the caller: one F32 row of the vocabulary a slot (``output_reserve``, src/llama-context.cpp)."""
    return 4 * shape.vocabulary_tokens * settings.slots


def most_output_bytes(shape: ModelShape, options: Options, settings: Settings) -> int:
    """The same when it has grown to the most rows that one batch puts out (``output_reserve``, as above).

    A stated number of rows is what the server reserves for speculation; embeddings put out every token of a batch, each
    with its row of logits beside its embedding; an encoder puts out every token in any case. A caller of the library
    that asks for the logits of every token makes it grow as well: that is not known here.
    """
    width = shape.dimensions.get("embedding_length_out", shape.dimensions.get("embedding_length", 0))
    row = shape.vocabulary_tokens + (width if options.embeddings else 0)
    if not shape.causal:  # llama_context::encode puts out every token it is given, which are those of one ubatch
        rows = settings.ubatch_tokens
    else:
        rows = settings.batch_tokens if options.embeddings else min(options.output_rows, settings.batch_tokens)
    return 4 * row * max(settings.slots, rows)


# Heap a token: id_to_token entry, token_to_id hash node, both strings inline; a merge: one node of the rank table.
# Fitted on eleven vocabularies from 4k to 262k tokens, x86-64, glibc 2.36, libstdc++ 12 (tools/measure_tokenizer.py).
TOKEN_HEAP_BYTES = 147
MERGE_HEAP_BYTES = 105
PRETOKENIZER_HEAP_BYTES = 2_300_000
# What the process grew by over what the heap holds (freed metadata leaves holes), and its peak while loading
RESIDENT_OVER_HEAP = 1.11
RESIDENT_BESIDE_HEAP_BYTES = 768 * 1024
PEAK_OVER_HEAP = 1.35
_INLINE_STRING = 15  # libstdc++ keeps strings up to 15 bytes inside the object


def tokenizer_bytes(tokenizer: Tokenizer | None, vocabulary_tokens: int) -> Range:
    """The vocabulary in memory. Without a known tokenizer, a byte-pair one of the same size is the upper bound."""
    if tokenizer is None:
        tokenizer = Tokenizer(kind="gpt2", tokens=vocabulary_tokens, merges=vocabulary_tokens * 2)
        assumed = _heap(msgspec.structs.replace(tokenizer, kind="llama", merges=0))
        heap = _heap(tokenizer)
        return Range(assumed, int(heap * RESIDENT_OVER_HEAP * 0.75), int(heap * PEAK_OVER_HEAP) + 2 * MIB)
    heap = _heap(tokenizer)
    likely = int(heap * RESIDENT_OVER_HEAP) + RESIDENT_BESIDE_HEAP_BYTES
    return Range(heap, likely, int(heap * PEAK_OVER_HEAP) + 2 * MIB)


def _heap(tokenizer: Tokenizer) -> int:
    heap = TOKEN_HEAP_BYTES * tokenizer.tokens
    if tokenizer.tokens and tokenizer.token_bytes > _INLINE_STRING * tokenizer.tokens:
        heap += 2 * tokenizer.token_bytes  # long strings leave the object and are held twice
    if tokenizer.kind not in ("llama", "bert", "t5", "no_vocab"):
        heap += MERGE_HEAP_BYTES * tokenizer.merges + PRETOKENIZER_HEAP_BYTES
    return heap


# A cell's position, shift, 256-bit sequence set and place in its sequence's map (src/llama-kv-cells.h), measured
# over 122,880 cells as 52 bytes; a vocabulary entry in the sampler's id table (src/llama-context.cpp) and scratch: 8.
CELL_TABLE_BYTES = 52
VOCABULARY_TABLE_BYTES = 8
GRAPH_TABLE_BYTES = 2 * MIB
LAYER_TABLE_BYTES = 48 * 1024


def table_bytes(shape: ModelShape, settings: Settings) -> int:
    """The context's own tables on the heap: cells, vocabulary ids, graph nodes."""
    cells = settings.slot_tokens * settings.streams if shape.memory in ("attention", "hybrid") else 0
    return (
        GRAPH_TABLE_BYTES
        + LAYER_TABLE_BYTES * len(shape.layers)
        + CELL_TABLE_BYTES * cells
        + VOCABULARY_TABLE_BYTES * shape.vocabulary_tokens
    )


def checkpoint_bytes(shape: ModelShape, options: Options, settings: Settings) -> int:
    """One saved state of a slot: the part of its cache that cannot be rolled back (tools/server/server-context.cpp).

    Window layers save their window, recurrent layers their state; a model with neither saves nothing.
    """
    if options.full_window_cache and shape.memory == "attention":
        return 0
    size = 0
    for cache in layer_caches(shape, options, settings):
        layer = shape.layers[cache.index]
        size += cache.state_bytes // (settings.slots * (1 + settings.rollback_tokens))
        if layer.attention in ("sliding", "chunked") and cache.cells:
            tokens = min(shape.window_tokens, cache.cells)
            size += (cache.key_bytes + cache.value_bytes) // (cache.cells * settings.streams) * tokens
    return size


def prompt_cache_bytes(shape: ModelShape, options: Options, settings: Settings) -> Range:
    """Saved prompts (``--cache-ram``) and checkpoints: nothing at load, growing with use up to their limits.

    Without a limit in bytes the server drops prompts beyond the context's tokens, after it has saved one more
    (``server_prompt_cache::update``, tools/server/server-task.cpp): twice the cache, and a state of every slot.
    """
    checkpoints = options.checkpoints * settings.slots * checkpoint_bytes(shape, options, settings)
    saved = options.cache_ram_bytes
    if options.cache_ram_unlimited:
        caches = layer_caches(shape, options, settings)
        saved = sum(2 * (cache.key_bytes + cache.value_bytes) + cache.state_bytes for cache in caches)
        checkpoints *= 2  # a saved prompt keeps its own
    return Range(0, 0, saved + checkpoints)
