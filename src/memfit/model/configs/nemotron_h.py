"""Nemotron-H: each layer is one thing only, a Mamba 2 mixer, attention, a feed-forward or experts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memfit.model.architectures import TensorSpec
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    experts,
    layer_types,
)
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._state import (
    no_convolution_bias,
    state_biases,
)
from memfit.model.configs._text import head_length, text
from memfit.model.metadata import Value
from memfit.model.shape import Layer

LETTERS = {"M": "linear_attention", "E": "moe", "*": "full_attention", "-": "mlp"}
DEFAULT = ("linear_attention", "moe", "full_attention", "mlp")
PLAIN = ("ffn_up", "ffn_down", "ffn_up_shexp", "ffn_down_shexp")


def read(config: Section) -> Checkpoint:
    """Layers by the letters of ``hybrid_override_pattern``, or by the list that took its place.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    kinds = _kinds(config)
    width = config.integer("hidden_size", default=4096)
    heads = config.integer("num_attention_heads", default=32)
    kv_heads = config.maybe("num_key_value_heads", default=8) or heads
    if heads % kv_heads:
        raise config.malformed(
            "num_key_value_heads", f"is {kv_heads}, which does not divide num_attention_heads {heads}"
        )
    dense = config.integer("intermediate_size", default=21504)
    routed = config.integer("moe_intermediate_size", default=7688)
    head = head_length(config, width, heads, 128)
    metadata: dict[str, Value] = {
        "block_count": len(kinds),
        "context_length": config.integer("max_position_embeddings", default=4096),
        "embedding_length": width,
        "feed_forward_length": [{"mlp": dense, "moe": routed}.get(kind, 0) for kind in kinds],
        "attention.head_count": heads,
        "attention.head_count_kv": [kv_heads if kind == "full_attention" else 0 for kind in kinds],
        "attention.key_length": head,
        "attention.value_length": head,
        "rope.dimension_count": head,
        "vocab_size": config.integer("vocab_size", default=131072),
        **_mixer(config),
    }
    mixed = "moe" in kinds
    if mixed:
        count, used = experts(config, "n_routed_experts", "num_local_experts", default=8, active=2)
        shared = config.integer("moe_shared_expert_intermediate_size", default=7688)
        metadata |= {
            "expert_count": count,
            "expert_used_count": used,
            "expert_feed_forward_length": routed,
            "expert_shared_feed_forward_length": shared,
        }
        if config.has("moe_latent_size"):
            metadata["moe_latent_size"] = config.integer("moe_latent_size")
    biased = (*PLAIN, "ffn_latent_down", "ffn_latent_up") if config.flag("mlp_bias") else ()
    biases = (*biased, *state_biases(config, "use_bias"))
    absent = no_convolution_bias(config, "use_conv_bias" if not config.has("mamba_conv_bias") else "mamba_conv_bias")
    both = mixed and "mlp" in kinds
    return text(
        config,
        "nemotron_h_moe" if mixed else "nemotron_h",
        metadata,
        tied=False,  # NemotronHForCausalLM ties nothing, whatever tie_word_embeddings says
        biases=biases,
        absent=absent,
        adjust=densify_plain(kinds, width, dense) if both else None,
        layers=plain_plan(kinds, dense) if both else None,
        loadable=not biases and not absent and not both,
    )


def _mixer(config: Section) -> dict[str, Value]:
    heads = config.integer("mamba_num_heads", default=128)
    inner = heads * config.integer("mamba_head_dim", default=64)
    groups = config.integer("mamba_n_groups", "n_groups", default=8)
    if inner % groups:
        raise config.malformed("n_groups", f"is {groups}, which does not divide the mixer's width {inner}")
    return {
        "ssm.conv_kernel": config.integer("mamba_d_conv", "conv_kernel", default=4),
        "ssm.inner_size": inner,
        "ssm.state_size": config.integer("ssm_state_size", default=128),
        "ssm.time_step_rank": heads,
        "ssm.group_count": groups,
    }


def _kinds(config: Section) -> tuple[str, ...]:
    """What each layer is. ``num_hidden_layers`` only repeats how many there are."""
    stated = layer_types(config, "layers_block_type", "layer_types", known=LETTERS.values())
    if stated is None and config.has("hybrid_override_pattern"):
        pattern = config.text("hybrid_override_pattern")
        for letter in pattern:
            if letter not in LETTERS:
                raise config.malformed("hybrid_override_pattern", f"has {letter!r}, expected one of {''.join(LETTERS)}")
        stated = tuple(LETTERS[letter] for letter in pattern)
    kinds = stated if stated is not None else DEFAULT
    if not 1 <= len(kinds) <= MOST_LAYERS:
        raise config.malformed("hybrid_override_pattern", f"has {len(kinds)} layers, expected 1 to {MOST_LAYERS}")
    count = config.integer("num_hidden_layers", default=len(kinds))
    if stated is not None and count != len(kinds):
        raise config.malformed("num_hidden_layers", f"is {count}, and {len(kinds)} layers are listed")
    return kinds


def densify_plain(kinds: tuple[str, ...], width: int, length: int) -> Callable[[TensorSpec], Iterable[TensorSpec]]:
    """A plain feed-forward in place of the experts where the config asks for one, for ``text``'s ``adjust``."""

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name, _ = tensor
        _, _, rest = name.partition("blk.")
        index, _, short = rest.partition(".")
        if not rest or kinds[int(index)] != "mlp" or short == "attn_norm.weight":
            return (tensor,)
        if short != "ffn_gate_inp.weight":
            return ()
        return (f"blk.{index}.ffn_up.weight", (width, length)), (f"blk.{index}.ffn_down.weight", (length, width))

    return adjust


def plain_plan(kinds: tuple[str, ...], length: int) -> Callable[[int, Layer], Layer]:
    """The layers that ``densify_plain`` leaves, for ``text``'s ``layers``."""
    plain = Layer(attention="none", feed_forward_length=length)
    return lambda index, planned: plain if kinds[index] == "mlp" else planned


CONFIG = Config(
    model_type="nemotron_h",
    summary="Nemotron-H, Nemotron Nano v2, Nemotron 3 Nano",
    source=transformers("nemotron_h"),
    read=read,
)
