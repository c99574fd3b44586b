"""Compute and work buffers without the engine, from its graphs as they were traced.

The buffer is what ggml's planner reserves for the graph of one full ubatch (``sched_reserve`` in
src/llama-context.cpp, ``ggml_gallocr`` in ggml/src/ggml-alloc.c, llama.cpp 0c1e57098). ``docs/compute_buffers.md`` says
how the graphs come from the engine and how exact this is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from memfit.engine._llama_cpp.graphs import PROLOGUE, Graphs, Values, load_graphs, planned_bytes
from memfit.engine._llama_cpp.settings import Settings, resolve
from memfit.engine._llama_cpp.symbols import graph_key, layer_roles, layer_values, model_values
from memfit.engine.records import Options
from memfit.model.shape import ModelShape

# For structures nobody traced the nearest traced one stands in. The factors are the worst ratios between any two
# structures of one architecture, and between the closed form and the engine, that docs/compute_buffers.md lists.
NEAR_LOW, NEAR_HIGH = 0.5, 2.0
FAR_LOW, FAR_HIGH = 0.25, 4.0


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its bounds, in bytes; ``error`` says in words how far it can be trusted."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    source: Literal["coefficients", "formula"]
    error: str


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one model's graph and what the symbols stand for in each; ``doubts`` where one stands in."""

    graphs: Graphs
    numbers: tuple[int, ...]
    values: tuple[Values, ...]
    doubts: tuple[str, ...]


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


def assemble(shape: ModelShape, options: Options, settings: Settings) -> Assembly | None:
    """The graph of a model put together from traced segments; None where nothing of its architecture was traced."""
    graphs = load_graphs(shape.architecture)
    if graphs is None:
        return None
    doubts = [
        f"{key} {shape.dimensions[key]}, traced at {value}"
        for key, value in graphs.fixed.items()
        if shape.dimensions.get(key, value) != value
    ]
    wanted = graph_key(shape, options, settings)
    key = _nearest_graph(wanted, graphs)
    if key is None:
        return None
    if key != wanted:
        doubts.append(f"structure {wanted}, traced {key}")
    roles = graphs.segments_by_role(key)
    marks = _marks(shape, graphs)
    if graphs.marks and not shape.tensors:
        doubts.append(f"whether it has {', '.join(mark.lstrip('-') for mark in graphs.marks)} is not known")
    numbers = []
    for role in (PROLOGUE, *layer_roles(shape)):
        found = next((f"{role}@{mark}" for mark in marks if f"{role}@{mark}" in roles), role)
        if found not in roles:
            near = _nearest_role(role, roles)
            if near is None:
                return None
            found = near
            doubts += [f"layer {role}"] if f"layer {role}" not in doubts else []
        numbers.append(roles[found])
    base = model_values(shape, settings)
    by_layer = {layer: {**base, **layer_values(layer)} for layer in set(shape.trunk)}
    values = [base, *(by_layer[layer] for layer in shape.trunk)]
    return Assembly(graphs=graphs, numbers=tuple(numbers), values=tuple(values), doubts=tuple(doubts))


def _marks(shape: ModelShape, graphs: Graphs) -> list[str]:
    """The marks that hold for this model."""
    if not graphs.marks or not shape.tensors:
        return []
    names = {
        tensor.name.split(".", 2)[-1] if tensor.name.startswith("blk.") else tensor.name for tensor in shape.tensors
    }
    return [mark for mark in graphs.marks if (mark[1:] not in names if mark.startswith("-") else mark in names)]


def _nearest_graph(wanted: str, graphs: Graphs) -> str | None:
    """The structure asked for, or the one that shares most of its words and first of all the first."""
    structures = list(graphs.structures())
    if wanted in structures:
        return wanted
    words = wanted.split(".")

    def likeness(key: str) -> tuple[bool, int, str]:
        others = key.split(".")
        return others[0] == words[0], len(set(words) & set(others)) + (others[1:3] == words[1:3]), key

    return max(structures, key=likeness, default=None)


def _nearest_role(role: str, roles: Iterable[str]) -> str | None:
    """The most similar layer among those with the output at the end, or among those without, as asked."""
    if role == PROLOGUE:
        return None
    before, kind, after = role.split("/")
    words = set(kind.split("+"))

    def likeness(other: str) -> tuple[bool, int, bool, str]:
        other_before, other_kind, _ = other.split("/")
        others = set(other_kind.split("+"))
        return other_kind == kind, len(words & others) - len(words ^ others), other_before == before, other

    comparable = (other for other in roles if other != PROLOGUE and "@" not in other)
    same_end = [other for other in comparable if other.endswith("-") == after.endswith("-")]
    return max(same_end, key=likeness, default=None)


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
    """The closed form of dense models: the larger of the output's and of a layer's buffers, all F32."""
    tokens = settings.ubatch_tokens
    width = shape.embedding_length
    layers = shape.trunk
    feed = max((layer.feed_forward_length + layer.shared_length for layer in layers), default=0)
    experts = max((layer.experts_active * (2 * layer.expert_length + width) for layer in layers), default=0)
    heads = max((layer.heads for layer in layers), default=0)
    cells = settings.slot_tokens if shape.memory in ("attention", "hybrid") else tokens
    scores = 2 * cells * tokens if options.flash_attention else 4 * (heads + 1) * cells * tokens
    output = 4 * shape.vocabulary_tokens * settings.output_rows + 8 * width * tokens
    layer = 4 * tokens * (3 * feed + experts + 4 * width) + scores
    size = max(output, layer)
    return Estimate(
        low_bytes=int(size * FAR_LOW),
        likely_bytes=size,
        high_bytes=int(size * FAR_HIGH),
        source="formula",
        error=f"no graph like this one of {shape.architecture} was traced; closed form of dense models",
    )
