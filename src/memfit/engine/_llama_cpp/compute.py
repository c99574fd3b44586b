"""Compute and work buffers without the engine, from its graphs as they were traced.

The buffer is what ggml's planner reserves for the graph of one full ubatch (``sched_reserve`` in
src/llama-context.cpp, ``ggml_gallocr`` in ggml/src/ggml-alloc.c, llama.cpp 0c1e57098). ``docs/compute_buffers.md`` says
how the graphs come from the engine and how exact this is.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine._llama_cpp.assembly import assemble
from memfit.engine._llama_cpp.graphs import Graphs, planned_bytes
from memfit.engine._llama_cpp.settings import Settings, resolve
from memfit.engine.records import Options
from memfit.model.shape import Layer, ModelShape

# For structures nobody traced the nearest traced one stands in. The factors are the worst ratios between any two
# structures of one architecture, and between the closed form and the engine, that docs/compute_buffers.md lists.
NEAR_LOW, NEAR_HIGH = 0.5, 2.0
FAR_LOW, FAR_HIGH = 0.1, 4.0


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its bounds, in bytes; ``error`` says in words how far it can be trusted."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    source: Literal["coefficients", "formula"]
    error: str


def compute_bytes(shape: ModelShape, options: Options, *, output_rows: int | None = None) -> Estimate:
    """The CPU's compute buffer for one model and one context.

    Args:
        shape: the model; its layers and dimensions matter, not its tensors.
        options: the context.
        output_rows: rows of logits reserved in a ubatch, in place of those of ``options``: what a run that asks for
            fewer rows than it reserved really writes.

    Raises:
        UsageError: options that the engine refuses.
    """
    if output_rows is not None:
        options = msgspec.structs.replace(options, output_rows=output_rows)
    settings = resolve(shape, options)
    assembly = assemble(shape, options, settings)
    if assembly is None:
        return _far(shape, options, settings)
    try:
        size = planned_bytes(assembly.graphs, assembly.numbers, assembly.values)
    except KeyError:
        return _far(shape, options, settings)
    if assembly.doubts:
        return Estimate(
            low_bytes=int(size * NEAR_LOW),
            likely_bytes=size,
            high_bytes=int(size * NEAR_HIGH),
            source="coefficients",
            error=f"outside of what was traced: {'; '.join(assembly.doubts)}",
        )
    checked = assembly.graphs.checked
    # an architecture whose graphs did not come out equal everywhere carries its worst difference as its bounds
    doubt = 0.0 if checked is None or checked.equal == checked.settings else checked.largest_error
    return Estimate(
        low_bytes=int(size * (1 - doubt)),
        likely_bytes=size,
        high_bytes=int(size * (1 + doubt)),
        source="coefficients",
        error=_checked(assembly.graphs),
    )


def _checked(graphs: Graphs) -> str:
    if graphs.checked is None:
        return f"traced from {graphs.engine}, not checked"
    checked = graphs.checked
    if checked.equal == checked.settings:
        return f"equal to {graphs.engine} to the byte in {checked.settings} of {checked.settings} settings"
    return (
        f"equal to {graphs.engine} in {checked.equal} of {checked.settings} settings,"
        f" else within {checked.largest_error:.1%}"
    )


def _far(shape: ModelShape, options: Options, settings: Settings) -> Estimate:
    """The closed form of dense models, all F32: the larger of the output's buffers and of the widest layer's.

    Beside what every layer has, a cache may be copied whole (``_copied_elements``), and state is read, changed, kept.
    """
    width, layers = shape.embedding_length, shape.trunk
    tokens = -(-settings.ubatch_tokens // settings.slots) * settings.slots
    feed = max((layer.feed_forward_length + layer.shared_length for layer in layers), default=0)
    experts = max((layer.experts_active * (2 * layer.expert_length + width) for layer in layers), default=0)
    heads = max((layer.heads for layer in layers), default=0)
    cells = settings.slot_tokens if shape.memory in ("attention", "hybrid") else tokens
    scores = 2 * cells * tokens if options.flash_attention else 4 * (heads + 1) * cells * tokens
    copied = 4 * cells * settings.streams * max((_copied_elements(layer, options) for layer in layers), default=0)
    kept = max((layer.state_elements + layer.convolution_elements for layer in layers), default=0)
    state = 4 * kept * settings.slots * (2 + settings.rollback_tokens)
    inner, groups, depth = (
        shape.dimensions.get(f"ssm.{key}", 0) for key in ("inner_size", "group_count", "state_size")
    )
    scan = inner + 2 * groups * depth
    rows = settings.output_rows if shape.memory != "none" else 0
    output = 4 * shape.vocabulary_tokens * rows + 8 * width * tokens
    layer = 4 * tokens * (3 * feed + experts + 4 * width + 2 * scan) + scores + copied + state
    size = max(output, layer)
    return Estimate(
        low_bytes=int(size * FAR_LOW),
        likely_bytes=size,
        high_bytes=int(size * FAR_HIGH),
        source="formula",
        error=f"no graph like this one of {shape.architecture} was traced; closed form of dense models",
    )


def _copied_elements(layer: Layer, options: Options) -> int:
    """Numbers a cell of copies: flash attention casts what is in F32; without it latent attention turns V around."""
    if layer.cache_of is None:
        return 0
    if not options.flash_attention:
        return layer.value_length if layer.latent_kv else 0
    lengths = ((options.kv_type_k, layer.key_length), (options.kv_type_v, layer.value_length))
    return layer.kv_heads * sum(length for format_name, length in lengths if format_name.upper() == "F32")
