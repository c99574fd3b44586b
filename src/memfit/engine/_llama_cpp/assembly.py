"""A model's graph put together from traced segments, with what stands in for those that nobody traced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from memfit.engine._llama_cpp.graphs import PROLOGUE, Graphs, Values, load_graphs
from memfit.engine._llama_cpp.settings import Settings
from memfit.engine._llama_cpp.symbols import (
    TOKEN,
    graph_key,
    layer_roles,
    layer_values,
    model_values,
    several,
    tensor_set,
)
from memfit.engine.records import Options
from memfit.model.shape import ModelShape

_MOST_NAMED = 3


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one model's graph and what the symbols stand for in each; ``doubts`` where one stands in."""

    graphs: Graphs
    numbers: tuple[int, ...]
    values: tuple[Values, ...]
    doubts: tuple[str, ...]


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
    # few graphs of a single token differ; those that do not were left out
    usual = several(wanted)
    key = _nearest_graph(usual, graphs)
    if key is None:
        return None
    if key != usual:
        doubts.append(f"structure {usual}, traced {key}")
    roles = (PROLOGUE, *layer_roles(shape))
    chosen: dict[tuple[int, ...], list[str]] = {}
    sets, unsure = _tensor_sets(shape, graphs)
    for number in sets:
        segments = {**graphs.segments_by_role(key, number), **graphs.segments_by_role(wanted, number)}
        found = _segments(roles, segments)
        if found is not None:
            chosen.setdefault(*found)
    if not chosen:
        return None
    numbers, missing = next(iter(chosen.items()))
    doubts += missing
    if unsure is not None or len(chosen) > 1:
        doubts.append(unsure or "what tensors it has is not known")
    base = model_values(shape, settings)
    by_layer = {layer: {**base, **layer_values(layer)} for layer in set(shape.trunk)}
    values = [base, *(by_layer[layer] for layer in shape.trunk)]
    return Assembly(graphs=graphs, numbers=numbers, values=tuple(values), doubts=tuple(doubts))


def _tensor_sets(shape: ModelShape, graphs: Graphs) -> tuple[Sequence[int], str | None]:
    """Which of the traced sets of tensors the model has, every one where it lists none; and a doubt if none fits."""
    if not shape.tensors:
        return range(len(graphs.tensor_sets)), None
    ours = tensor_set(shape)
    apart = [ours.symmetric_difference(names) for names in graphs.tensor_sets]
    nearest = min(range(len(apart)), key=lambda number: len(apart[number]))
    if not apart[nearest]:
        return (nearest,), None
    names = sorted(apart[nearest])
    told = [f"{'with' if name in ours else 'without'} {name}" for name in names[:_MOST_NAMED]]
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return (nearest,), f"{', '.join((*told, *more))}, unlike every model that was traced"


def _segments(roles: Iterable[str], known: Mapping[str, int]) -> tuple[tuple[int, ...], list[str]] | None:
    """The segment of each role, and the doubts about those that another stands in for; None where none can."""
    numbers: list[int] = []
    doubts: list[str] = []
    for role in roles:
        found = role if role in known else _nearest_role(role, known)
        if found is None:
            return None
        if found != role and f"layer {role}" not in doubts:
            doubts.append(f"layer {role}")
        numbers.append(known[found])
    return tuple(numbers), doubts


def _nearest_graph(wanted: str, graphs: Graphs) -> str | None:
    """The structure asked for, or the one that shares most of its words and first of all the first."""
    structures = [key for key in graphs.structures() if TOKEN not in key.split(".")]
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

    comparable = (other for other in roles if other != PROLOGUE)
    same_end = [other for other in comparable if other.endswith("-") == after.endswith("-")]
    return max(same_end, key=likeness, default=None)
