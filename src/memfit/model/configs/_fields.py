"""Fields that several families of models share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from memfit.model.architectures import TensorSpec
from memfit.model.configs._section import MOST_EXPERTS, Section
from memfit.model.metadata import Value
from memfit.model.shape import Layer

ATTENTION = ("attn_q", "attn_k", "attn_v", "attn_output")
GATED = ("ffn_gate", "ffn_up", "ffn_down")

# remap_legacy_layer_types, transformers 5.23.0 configuration_utils.py
_LEGACY = {"mamba": "linear_attention", "attention": "full_attention"}


def attention_biases(config: Section, *, default: bool = False) -> tuple[str, ...]:
    """The matrices that ``attention_bias`` gives a bias."""
    return ATTENTION if config.flag("attention_bias", default=default) else ()


def layer_types(config: Section, *names: str, count: int | None = None, known: Iterable[str]) -> tuple[str, ...] | None:
    """What each layer is, under today's names; None where the config does not list it.

    Raises:
        Malformed: a list of another length, or with a type that the model does not know.
    """
    names = names or ("layer_types", "layers_block_type")
    stated = config.strings(*names, count=count)
    if stated is None:
        return None
    types, possible = tuple(_LEGACY.get(name, name) for name in stated), set(known)
    for name in types:
        if name not in possible:
            raise config.malformed(names[0], f"has {name!r}, expected one of {', '.join(sorted(possible))}")
    return types


def window_types(config: Section, count: int, *, period: int) -> tuple[bool, ...]:
    """Which layers look at a window: the config's list, or all but every ``period``-th.

    Raises:
        Malformed: a list of another length, or with an unknown type.
    """
    types = layer_types(config, "layer_types", count=count, known=("sliding_attention", "full_attention"))
    if types is None:
        return tuple((index + 1) % period != 0 for index in range(count))
    return tuple(kind == "sliding_attention" for kind in types)


def rope_type(config: Section) -> str:
    """How the rotary embedding is stretched, ``default`` where it is not."""
    for name in ("rope_parameters", "rope_scaling"):
        section = config.section(name)
        if section is not None and section.has("rope_type", "type"):
            return section.text("rope_type") or section.text("type")
    return "default"


def experts(config: Section, *names: str, default: int, active: int, least: int = 1) -> tuple[int, int]:
    """How many experts there are, and how many a token uses.

    Raises:
        Malformed: out of bounds, or a token uses more than there are.
    """
    count = config.integer(*names, default=default, least=least, most=MOST_EXPERTS)
    # a default that is more than the experts there are says nothing
    used = config.integer("num_experts_per_tok", default=min(active, count) or active, most=MOST_EXPERTS)
    if count and used > count:
        raise config.malformed("num_experts_per_tok", f"is {used}, of {names[0]} {count}")
    return count, used


def dense_layers(config: Section, count: int, experts: int) -> frozenset[int]:
    """The layers of a Qwen mixture that have a dense feed-forward: ``mlp_only_layers``, and those off the step.

    ``Qwen3MoeDecoderLayer``, transformers 5.23.0 models/qwen3_moe/modeling_qwen3_moe.py.

    Raises:
        Malformed: a field is of the wrong kind.
    """
    only = frozenset(config.integers("mlp_only_layers") or ())
    step = config.integer("decoder_sparse_step", default=1)
    return frozenset(index for index in range(count) if index in only or not experts or (index + 1) % step != 0)


def densify(dense: frozenset[int], width: int, length: int) -> Callable[[TensorSpec], Iterable[TensorSpec]]:
    """A dense feed-forward in place of the experts of some layers, for ``text``'s ``adjust``."""

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name = tensor[0]
        _, _, rest = name.partition("blk.")
        index, _, short = rest.partition(".")
        if not rest or int(index) not in dense or not short.startswith("ffn_") or short.startswith("ffn_norm"):
            return (tensor,)
        if not short.startswith("ffn_gate_inp."):
            return ()
        block = f"blk.{index}."
        return (
            (f"{block}ffn_gate.weight", (width, length)),
            (f"{block}ffn_up.weight", (width, length)),
            (f"{block}ffn_down.weight", (length, width)),
        )

    return adjust


def dense_plan(dense: frozenset[int], length: int) -> Callable[[int, Layer], Layer]:
    """The layers that ``densify`` leaves, for ``text``'s ``layers``."""

    def layer(index: int, planned: Layer) -> Layer:
        if index not in dense:
            return planned
        return msgspec.structs.replace(
            planned, feed_forward_length=length, experts=0, experts_active=0, expert_length=0, shared_length=0
        )

    return layer


def windows(pattern: tuple[bool, ...]) -> dict[str, Value]:
    """GGUF's list of the layers that look at a window; none where no layer does, which no architecture takes."""
    return {"attention.sliding_window_pattern": list(pattern)} if any(pattern) else {}
