"""``config_groups``, as compressed-tensors and ModelOpt write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast, get_args

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import MOST_GROUP, whole_bits
from memfit.model.quantizations._quantization import Strategy, Weights

# QuantizationStrategy of compressed-tensors; NVFP4's groups have a scale for the tensor too
_STRATEGIES = {**{name: name for name in get_args(Strategy)}, "tensor_group": "group"}


def read_groups(config: Section) -> tuple[tuple[Weights, ...], bool]:
    """Each group's weights, and whether inputs were ordered (``actorder``) in one of them.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds, or no group has weights.
    """
    groups = list(_groups(config))
    if not groups:
        raise config.malformed("config_groups", "holds no group with weights")
    return tuple(weights for weights, _ in groups), any(ordered for _, ordered in groups)


def _groups(config: Section) -> Iterator[tuple[Weights, bool]]:
    groups = config.inner("config_groups")
    for name in groups.values:
        group = groups.inner(name)
        weights = group.section("weights")
        if weights is None:
            continue  # a group may be of activations only
        yield _weights(group, weights), weights.values.get("actorder") in ("group", "static", True)


def _weights(group: Section, weights: Section) -> Weights:
    size = weights.maybe("group_size", least=-1, most=MOST_GROUP)
    if size is not None and size <= 0:
        size = None
    block = weights.integers("block_structure", least=1, count=2) if weights.is_list("block_structure") else None
    stated = weights.text("strategy")
    if stated and stated not in _STRATEGIES:
        raise weights.malformed("strategy", f"is {stated!r}, expected one of {', '.join(sorted(_STRATEGIES))}")
    usual = "group" if size else "block" if block else "tensor"
    strategy = cast("Strategy", _STRATEGIES[stated or usual])
    if strategy == "group" and size is None:
        raise weights.malformed("group_size", "is missing, and the strategy is group")
    if strategy == "block" and block is None:
        raise weights.malformed("block_structure", "is missing, and the strategy is block")
    kind = weights.text("type", "int")
    if kind not in ("int", "float"):
        raise weights.malformed("type", f"is {kind!r}, neither int nor float")
    inputs = group.section("input_activations")
    return Weights(
        bits=whole_bits(weights, "num_bits", default=8, among=(1, 2, 3, 4, 5, 6, 7, 8)),
        kind="int" if kind == "int" else "float",
        strategy=strategy,
        group_size=size if strategy == "group" else None,
        block=(block[0], block[1]) if block and strategy == "block" else None,
        symmetric=weights.flag("symmetric", default=True),
        activation_bits=None if inputs is None else whole_bits(inputs, "num_bits", default=8, among=(4, 8)),
        targets=group.strings("targets") or (),
    )
