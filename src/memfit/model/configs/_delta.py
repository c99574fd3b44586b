"""What the readers of the Qwen hybrids share: gated delta nets between layers of attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memfit.model.architectures import TensorSpec
from memfit.model.configs._fields import layer_types
from memfit.model.configs._section import Section
from memfit.model.metadata import Value

INTERVAL = 4  # full_attention_interval, Qwen3NextConfig and Qwen3_5TextConfig of transformers 5.23.0


def delta_types(config: Section, count: int) -> tuple[bool, ...]:
    """Which layers are delta nets: the config's list, or all but every ``full_attention_interval``-th.

    Raises:
        Malformed: a list of another length, or with an unknown type.
    """
    types = layer_types(config, "layer_types", count=count, known=("linear_attention", "full_attention"))
    if types is None:
        interval = config.integer("full_attention_interval", default=INTERVAL)
        return tuple((index + 1) % interval != 0 for index in range(count))
    return tuple(kind == "linear_attention" for kind in types)


def delta_net(config: Section, types: tuple[bool, ...]) -> dict[str, Value]:
    """The delta nets' sizes and places, with ``__`` for the dot of their GGUF keys.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    keys, values = _heads(config)
    fields: dict[str, Value] = {
        "ssm__conv_kernel": config.integer("linear_conv_kernel_dim", default=4),
        "ssm__state_size": config.integer("linear_key_head_dim", default=128),
        "ssm__group_count": keys,
        "ssm__time_step_rank": values,
        "ssm__inner_size": config.integer("linear_value_head_dim", default=128) * values,
    }
    for interval in range(1, len(types) + 1):
        if all(kind == ((index + 1) % interval != 0) for index, kind in enumerate(types)):
            return {**fields, "full_attention_interval": interval}
    if all(types):
        return {**fields, "full_attention_interval": len(types) + 1}
    return {**fields, "attention__recurrent_layers": list(types)}


def with_next_token(config: Section, metadata: dict[str, Value]) -> dict[str, Value]:
    """The metadata as conversions write it, with the next-token-prediction layers that transformers does not load.

    Raises:
        Malformed: the count is of the wrong kind.
    """
    more, count = config.integer("mtp_num_hidden_layers", default=0, least=0, most=8), metadata["block_count"]
    if not more or not isinstance(count, int):
        return metadata
    result = {**metadata, "nextn_predict_layers": more, "block_count": count + more}
    recurrent = metadata.get("attention.recurrent_layers")
    if isinstance(recurrent, list):
        result["attention.recurrent_layers"] = [*recurrent, *([False] * more)]
    return result


def is_even(config: Section) -> bool:
    """Whether keys and values have heads of one length, as llama.cpp takes them to have."""
    return config.integer("linear_key_head_dim", default=128) == config.integer("linear_value_head_dim", default=128)


def delta_net_adjust(config: Section, width: int) -> Callable[[TensorSpec], Iterable[TensorSpec]]:
    """The delta net's tensors where keys and values differ in length, for ``text``'s ``adjust``.

    ``Qwen3NextGatedDeltaNet``, transformers 5.23.0 models/qwen3_next/modeling_qwen3_next.py.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    key_heads, value_heads = _heads(config)
    key = config.integer("linear_key_head_dim", default=128) * key_heads
    value_head = config.integer("linear_value_head_dim", default=128)
    value, taps = value_head * value_heads, config.integer("linear_conv_kernel_dim", default=4)
    sizes = {
        "attn_qkv.weight": (width, 2 * key + value),
        "attn_gate.weight": (width, value),
        "ssm_conv1d.weight": (taps, 2 * key + value),
        "ssm_norm.weight": (value_head,),
        "ssm_out.weight": (value, width),
    }

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name, dims = tensor
        return ((name, sizes.get(name.split(".", 2)[-1], dims)),)

    return adjust


def _heads(config: Section) -> tuple[int, int]:
    keys = config.integer("linear_num_key_heads", default=16)
    values = config.integer("linear_num_value_heads", default=32)
    if values % keys:
        raise config.malformed(
            "linear_num_value_heads", f"is {values}, of which each of linear_num_key_heads {keys} needs as many"
        )
    return keys, values
