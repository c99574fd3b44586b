"""Llama-Nemotron found by architecture search: layers of different widths, some without attention or feed-forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memfit.model.architectures import Plan, TensorSpec
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._text import head_length, text_without_card, tied
from memfit.model.shape import Layer

MULTIPLE = 256  # _ffn_mult_to_intermediate_size rounds up to it


def read(config: Section) -> Checkpoint:
    """What ``block_configs`` says of each layer.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    width, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    layers = config.integer("num_hidden_layers", most=MOST_LAYERS)
    head = head_length(config, width, heads)
    stated = config.values.get("block_configs")
    if not isinstance(stated, list) or len(stated) != layers:
        raise config.malformed("block_configs", f"is not a list of num_hidden_layers {layers} objects")
    blocks = tuple(_block(config, index, value, width, heads) for index, value in enumerate(stated))
    vocabulary = config.integer("vocab_size")
    output = tied(config, default=False)
    return text_without_card(
        config,
        Plan(layers=tuple(_layer(block, index, heads, head) for index, block in enumerate(blocks))),
        _tensors(blocks, _Widths(width, heads * head, head), vocabulary, tied=output),
        width=width,
        vocabulary=vocabulary,
        context_tokens=config.integer("max_position_embeddings"),
        tied=output,
    )


@dataclass(frozen=True)
class _Widths:
    hidden: int
    query: int
    head: int


@dataclass(frozen=True)
class _Block:
    """Key/value heads, 0 without attention; whether one matrix stands for it; the same of the feed-forward."""

    kv_heads: int
    linear_attention: bool
    feed_forward: int
    linear_feed_forward: bool


def _block(config: Section, index: int, value: object, width: int, heads: int) -> _Block:
    if not isinstance(value, dict):
        raise config.malformed(f"block_configs[{index}]", "is not an object")
    section = Section(value, file=config.file, path=f"{config.path}block_configs[{index}].", parent=config)
    attention, feed_forward = section.inner("attention"), section.inner("ffn")
    linear = attention.flag("replace_with_linear")
    kv_heads = 0
    if not attention.flag("no_op") and not linear:
        group = attention.integer("n_heads_in_group")
        if heads % group:
            raise attention.malformed("n_heads_in_group", f"is {group}, which does not divide {heads} heads")
        kv_heads = heads // group
    replaced = feed_forward.flag("replace_with_linear")
    length = 0
    if not feed_forward.flag("no_op") and not replaced:
        factor = feed_forward.number("ffn_mult", -1.0, least=-1.0, most=1024.0)
        if factor <= 0:
            raise feed_forward.malformed("ffn_mult", "is missing or not above 0")
        length = MULTIPLE * -(-int(2 * factor * width / 3) // MULTIPLE)
    return _Block(kv_heads, linear, length, replaced)


def _layer(block: _Block, index: int, heads: int, head: int) -> Layer:
    if not block.kv_heads:
        return Layer(attention="none", feed_forward_length=block.feed_forward)
    return Layer(
        heads=heads,
        kv_heads=block.kv_heads,
        key_length=head,
        value_length=head,
        cache_of=index,
        feed_forward_length=block.feed_forward,
    )


def _tensors(blocks: tuple[_Block, ...], widths: _Widths, vocabulary: int, *, tied: bool) -> Iterator[TensorSpec]:
    hidden, query = widths.hidden, widths.query
    yield "token_embd.weight", (hidden, vocabulary)
    for index, block in enumerate(blocks):
        name = f"blk.{index}"
        if block.kv_heads:
            yield f"{name}.attn_norm.weight", (hidden,)
            yield f"{name}.attn_q.weight", (hidden, query)
            yield f"{name}.attn_k.weight", (hidden, block.kv_heads * widths.head)
            yield f"{name}.attn_v.weight", (hidden, block.kv_heads * widths.head)
            yield f"{name}.attn_output.weight", (query, hidden)
        elif block.linear_attention:
            yield f"{name}.attn_norm.weight", (hidden,)
            yield f"{name}.attn_output.weight", (hidden, hidden)
        if block.feed_forward:
            yield f"{name}.ffn_norm.weight", (hidden,)
            yield f"{name}.ffn_gate.weight", (hidden, block.feed_forward)
            yield f"{name}.ffn_up.weight", (hidden, block.feed_forward)
            yield f"{name}.ffn_down.weight", (block.feed_forward, hidden)
        elif block.linear_feed_forward:
            yield f"{name}.ffn_norm.weight", (hidden,)
            yield f"{name}.ffn_up.weight", (hidden, hidden)
    yield "output_norm.weight", (hidden,)
    if not tied:
        yield "output.weight", (hidden, vocabulary)


CONFIG = Config(
    model_type="nemotron-nas",
    summary="Llama-3.1-Nemotron-51B, Llama-3.3-Nemotron-Super-49B",
    source="modeling_decilm.py and block_config.py of nvidia/Llama-3_3-Nemotron-Super-49B-v1",
    read=read,
)
