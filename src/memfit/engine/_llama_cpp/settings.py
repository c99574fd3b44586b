"""The options as llama.cpp resolves them: padded, clamped and divided among slots.

Follows the constructor of ``llama_context`` (llama.cpp src/llama-context.cpp, 0c1e57098).
"""

from __future__ import annotations

import msgspec

from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.model.shape import ModelShape

CELLS_PADDING = 256  # GGML_PAD(cparams.n_ctx, 256)
MOST_SLOTS = 256  # LLAMA_MAX_SEQ, llama.cpp src/llama-cparams.h


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine works with.

    Attributes:
        context_tokens: cells of all slots together, ``n_ctx``.
        slot_tokens: cells of one KV stream, ``n_ctx_seq``.
        window_cells: cells of a sliding-window stream; equals ``slot_tokens`` without a window.
        slots: sequences, ``n_seq_max``.
        streams: separate KV buffers: one where unified, else one a slot.
        batch_tokens, ubatch_tokens: ``n_batch``, ``n_ubatch``.
        output_rows: rows of logits reserved in the prompt graph.
        rollback_tokens: snapshots of recurrent state a sequence.
    """

    context_tokens: int
    slot_tokens: int
    window_cells: int
    slots: int
    streams: int
    batch_tokens: int
    ubatch_tokens: int
    output_rows: int
    rollback_tokens: int


def resolve(shape: ModelShape, options: Options) -> Settings:
    """The engine's reading of ``options`` for this model.

    Raises:
        UsageError: a count that the engine refuses, or a quantized V cache without flash attention.
    """
    _check(options)
    slots = options.slots
    asked = options.context_tokens or shape.context_trained_tokens
    # with causal attention a batch never exceeds the context; the clamp comes before the padding
    batch = min(asked, options.batch_tokens) if shape.causal else options.batch_tokens
    ubatch = min(batch, options.ubatch_tokens or options.batch_tokens)
    # output_reserve keeps a row a slot (GGML_ASSERT in src/llama-context.cpp): with fewer the engine aborts
    rows = options.output_rows or batch
    if rows < slots:
        raise UsageError(
            f"{slots} slots need a row of logits each, but only {rows} are reserved",
            hint="raise --output-rows, --batch or --context to the number of slots at least",
        )
    context = pad(asked)
    slot_tokens = context if options.unified_kv else pad(context // slots)
    if not options.unified_kv:
        context = slot_tokens * slots
    graph_tokens = min(context, ubatch)
    return Settings(
        context_tokens=context,
        slot_tokens=slot_tokens,
        window_cells=window_cells(shape, options, slot_tokens=slot_tokens, ubatch=ubatch),
        slots=slots,
        streams=1 if options.unified_kv else slots,
        batch_tokens=batch,
        ubatch_tokens=graph_tokens,
        output_rows=min(graph_tokens, options.output_rows or batch),
        rollback_tokens=options.rollback_tokens if shape.architecture in ROLLS_BACK else 0,
    )


# llm_arch_supports_rs_rollback, llama.cpp src/llama-arch.cpp: others clamp the snapshots to none
ROLLS_BACK = frozenset({"qwen35", "qwen35moe", "nemotron_h", "nemotron_h_moe", "lfm2", "lfm2moe"})


def window_cells(shape: ModelShape, options: Options, *, slot_tokens: int, ubatch: int) -> int:
    """Cells of one stream of the sliding-window cache (llama.cpp src/llama-kv-cache-iswa.cpp)."""
    if not shape.window_tokens or options.full_window_cache:
        return slot_tokens
    sequences = options.slots if options.unified_kv else 1
    return pad(min(slot_tokens, shape.window_tokens * sequences + ubatch))


def pad(cells: int) -> int:
    """Rounded up to the engine's cell padding."""
    return -(-cells // CELLS_PADDING) * CELLS_PADDING


_MOST_TOKENS = 2**31 - 1
# what each count may be: option as people write it, field, least, most
_COUNTS = (
    ("context", "context_tokens", 0, _MOST_TOKENS),
    ("slots", "slots", 1, MOST_SLOTS),
    ("batch", "batch_tokens", 1, _MOST_TOKENS),
    ("ubatch", "ubatch_tokens", 0, _MOST_TOKENS),
    ("output rows", "output_rows", 0, _MOST_TOKENS),
    ("cache RAM", "cache_ram_bytes", 0, 2**62),
    ("checkpoints", "checkpoints", 0, _MOST_TOKENS),
    ("rollback", "rollback_tokens", 0, _MOST_TOKENS),
    ("threads", "threads", 0, 4096),
)


def _check(options: Options) -> None:
    for name, field, least, most in _COUNTS:
        value = getattr(options, field)
        if not least <= value <= most:
            raise UsageError(f"{name} of {value} is out of bounds", hint=f"llama.cpp takes {least} to {most}")
    if not options.flash_attention and is_quantized(options.kv_type_v):
        raise UsageError(
            f"a {options.kv_type_v} V cache needs flash attention, and the engine refuses it without",
            hint="use --flash-attention on, or keep V in F16 (--kv-type F16)",
        )


def is_quantized(format_name: str) -> bool:
    """Whether a KV format is a block format."""
    return format_name.upper() not in ("F32", "F16", "BF16")
