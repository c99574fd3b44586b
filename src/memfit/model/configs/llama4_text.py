"""The text half of Llama 4: three chunked layers to one of full attention, experts beside a shared one."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    dense_plan,
    densify,
    experts,
    layer_types,
    rope_type,
    windows,
)
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Chunks in all layers with a rotary embedding; experts in ``moe_layers``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config,
        layers=48,
        width=5120,
        feed_forward=8192,
        heads=40,
        kv_heads=8,
        head=128,
        vocabulary=202048,
        context=131072,
    )
    dense = config.integer("intermediate_size_mlp", default=16384)
    step = config.integer("interleave_moe_layer_step", default=1, most=MOST_LAYERS)
    usual = frozenset(range(step - 1, sizes.layers, step))
    stated = config.integers("moe_layers", most=MOST_LAYERS)
    routed = usual if stated is None else frozenset(stated) & frozenset(range(sizes.layers))
    count, used = experts(config, "num_local_experts", "num_experts", default=16, active=1)
    pattern = _chunked(config, sizes.layers)
    metadata = sizes.metadata(
        expert_count=count,
        expert_used_count=used,
        expert_feed_forward_length=sizes.feed_forward,
        interleave_moe_layer_step=step if routed == usual else 1,
        rope__dimension_count=sizes.head,
        attention__sliding_window=config.integer("attention_chunk_size", default=8192) if any(pattern) else 0,
    ) | windows(pattern)
    metadata["feed_forward_length"] = dense
    others = frozenset(range(sizes.layers)) - routed if routed != usual else frozenset()
    return text(
        config,
        "llama4",
        metadata,
        tied=tied(config, default=False),
        optional=("rope_freqs",) if rope_type(config) == "llama3" else (),
        biases=attention_biases(config),
        adjust=densify(others, sizes.width, dense),
        layers=dense_plan(others, dense),
        loadable=routed == usual,
    )


def _chunked(config: Section, layers: int) -> tuple[bool, ...]:
    types = layer_types(config, "layer_types", count=layers, known=("chunked_attention", "full_attention"))
    if types is not None:
        return tuple(kind == "chunked_attention" for kind in types)
    rotated = config.integers("no_rope_layers", most=1)
    if rotated:
        if len(rotated) != layers:
            raise config.malformed("no_rope_layers", f"has {len(rotated)} entries for {layers} layers")
        return tuple(bool(flag) for flag in rotated)
    interval = config.integer("no_rope_layer_interval", default=4)
    return tuple((index + 1) % interval != 0 for index in range(layers))


CONFIG = Config(
    model_type="llama4_text",
    summary="the text half of Llama 4",
    source=transformers("llama4"),
    read=read,
)
