"""The text half of Gemma 4: windows with shorter heads, shared caches, per-layer embeddings, experts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memfit.model.architectures import TensorSpec
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    window_types,
    windows,
)
from memfit.model.configs._section import MOST_EXPERTS, Section
from memfit.model.configs._sharing import check_sharing, reading_plan, reading_tensors
from memfit.model.configs._text import Sizes, read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Windows as the config lists them, or in all layers but every sixth and the last.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=30,
        width=2304,
        feed_forward=9216,
        heads=8,
        kv_heads=4,
        head=256,
        vocabulary=262144,
        context=131072,
    )
    layers = sizes.layers
    # the last layer always has full attention (Gemma4TextConfig)
    pattern = (*window_types(config, layers, period=6)[:-1], False)
    shared = config.integer("num_kv_shared_layers", default=0, least=0, most=layers - 1)
    own = check_sharing(config, pattern, layers - shared)
    same = config.flag("attention_k_eq_v")
    head, kv_heads = _full_attention(config, sizes, pattern, same=same)
    wide = config.flag("use_double_wide_mlp")
    shares = own < layers and own >= 2 and not pattern[own - 1] and pattern[own - 2]  # llama.cpp reads these two caches
    metadata = sizes.metadata(
        attention__key_length_swa=sizes.head,
        attention__value_length_swa=sizes.head,
        attention__sliding_window=config.integer("sliding_window", default=512),
        attention__shared_kv_layers=shared if shares else 0,
        embedding_length_per_layer_input=config.integer("hidden_size_per_layer_input", default=256, least=0),
    ) | windows(pattern)
    metadata["attention.key_length"] = metadata["attention.value_length"] = head
    metadata["attention.head_count_kv"] = [sizes.kv_heads if windowed else kv_heads for windowed in pattern]
    metadata["feed_forward_length"] = [
        sizes.feed_forward * (2 if wide and index >= own else 1) for index in range(layers)
    ]
    if config.flag("enable_moe_block"):
        count = config.integer("num_experts", most=MOST_EXPERTS)
        metadata |= {
            "expert_count": count,
            "expert_used_count": config.integer("top_k_experts", default=1, most=count),
            "expert_feed_forward_length": config.integer("moe_intermediate_size", "expert_intermediate_size"),
        }
    rows = config.integer("vocab_size_per_layer_input", default=262144)

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name, dims = tensor
        return ((name, (dims[0], rows) if name == "per_layer_token_embd.weight" else dims),)

    return text(
        config,
        "gemma4",
        metadata,
        tied=tied(config, default=True),
        tokenizer="gemma4",
        # the first releases hold keys and values of layers that read another's, and transformers drops them
        optional=("attn_k", *(() if same else ("attn_v",))),
        biases=attention_biases(config),
        absent=reading_tensors(own, layers),
        adjust=adjust,
        layers=reading_plan(pattern, own),
        loadable=shares or own == layers,
    )


def _full_attention(config: Section, sizes: Sizes, pattern: tuple[bool, ...], *, same: bool) -> tuple[int, int]:
    """Length and count of the key/value heads in layers with full attention; ``same``: values are the keys."""
    head = config.integer("global_head_dim", default=512)
    kv_heads = config.integer("num_global_key_value_heads", default=sizes.kv_heads) if same else sizes.kv_heads
    stated = config.section("per_layer_config")
    if stated is not None:  # as transformers writes it since 5.10
        # only what differs from the common fields is listed
        found = {(sizes.head, sizes.kv_heads) if layer is None else layer for layer in _stated(stated, sizes, pattern)}
        if len(found) > 1:
            raise config.malformed("per_layer_config", "gives layers with full attention heads of several sizes")
        head, kv_heads = found.pop()
    if sizes.heads % kv_heads:
        name = "num_global_key_value_heads"
        raise config.malformed(name, f"is {kv_heads}, which does not divide num_attention_heads {sizes.heads}")
    return head, kv_heads


def _stated(stated: Section, sizes: Sizes, pattern: tuple[bool, ...]) -> Iterator[tuple[int, int] | None]:
    numbers = {int(name): name for name in stated.values if name.isdecimal() and len(name) < 6}
    for index, windowed in enumerate(pattern):
        layer = stated.section(numbers.get(index, ""))
        if windowed:
            if layer is not None and layer.values:
                raise stated.malformed(numbers[index], "changes a layer with a window, which memfit cannot size")
            continue
        if layer is None:
            yield None
        else:
            yield (
                layer.integer("head_dim", default=sizes.head),
                layer.integer("num_key_value_heads", default=sizes.kv_heads),
            )


CONFIG = Config(
    model_type="gemma4_text",
    summary="the text half of Gemma 4",
    source=transformers("gemma4"),
    read=read,
)
