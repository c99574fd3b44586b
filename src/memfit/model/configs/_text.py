"""The text half of a checkpoint: common sizes of decoders, and what llama.cpp's layout says of their tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from memfit.model._build import layout
from memfit.model.architectures import ARCHITECTURES, Plan, TensorSpec
from memfit.model.cards import Card
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._parts import checkpoint_tensors, tagged
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.metadata import Metadata, Value
from memfit.model.shape import Layer

# torch's names of number formats to those of safetensors
_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float": "F32",
    "float16": "F16",
    "half": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}
# other formats of torch, in which nobody trains: what such a checkpoint stores its weights in is told by them alone
_OTHER_DTYPES = ("auto", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2", "int8", "uint8")


@dataclass(frozen=True)
class Sizes:
    """What every decoder has, read and checked against each other.

    ``feed_forward`` is 0 where a model has no dense one, ``context_tokens`` where it has no positions.
    """

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context_tokens: int

    def metadata(self, **more: Value) -> dict[str, Value]:
        """The sizes by their GGUF keys; ``more`` with ``__`` for the dot."""
        return {
            "context_length": self.context_tokens,
            "embedding_length": self.width,
            "block_count": self.layers,
            "feed_forward_length": self.feed_forward,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "attention.key_length": self.head,
            "attention.value_length": self.head,
            "vocab_size": self.vocabulary,
            **{key.replace("__", "."): value for key, value in more.items()},
        }


def read_sizes(
    config: Section,
    *,
    layers: int,
    width: int,
    feed_forward: int,
    heads: int,
    vocabulary: int,
    context: int,
    kv_heads: int | None = None,
    head: int | None = None,
) -> Sizes:
    """The common fields with a class' defaults for those that are absent.

    Args:
        config: the section.
        layers: default of ``num_hidden_layers``.
        width: default of ``hidden_size``.
        feed_forward: default of ``intermediate_size``.
        heads: default of ``num_attention_heads``.
        vocabulary: default of ``vocab_size``.
        context: default of ``max_position_embeddings``.
        kv_heads: default of ``num_key_value_heads``; None, and null in the file, are as many as there are heads.
        head: default of ``head_dim``; None is the width over the heads.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        if name in config.values and config.values[name] is None:
            raise config.malformed(name, "is null, and no such model can be built")
    width = config.integer("hidden_size", default=width)
    heads = config.integer("num_attention_heads", default=heads)
    kv = config.maybe("num_key_value_heads", default=kv_heads) or heads
    if heads % kv:
        raise config.malformed("num_key_value_heads", f"is {kv}, which does not divide num_attention_heads {heads}")
    return Sizes(
        layers=config.integer("num_hidden_layers", default=layers, most=MOST_LAYERS),
        width=width,
        feed_forward=config.integer("intermediate_size", default=feed_forward),
        heads=heads,
        kv_heads=kv,
        head=head_length(config, width, heads, head),
        vocabulary=config.integer("vocab_size", default=vocabulary),
        context_tokens=config.integer("max_position_embeddings", default=context),
    )


def head_length(config: Section, width: int, heads: int, default: int | None = None, name: str = "head_dim") -> int:
    """``head_dim``, or the width over the heads.

    Raises:
        Malformed: the heads do not divide the width.
    """
    if config.has(name) or default is not None:
        return config.integer(name, default=default)
    if width % heads:
        raise config.malformed("num_attention_heads", f"is {heads}, which does not divide hidden_size {width}")
    return width // heads


def tied(config: Section, default: bool) -> bool:
    """Whether there is no output matrix beside the embedding. A larger model decides that for its text half.

    Embedding models say by ``architectures`` that they have none (``Qwen3Model``, ``Gemma3TextModel``).

    Raises:
        Malformed: a field is of the wrong kind.
    """
    named = config.strings("architectures") if config.parent is None else None
    if named and named[0].endswith("Model") and not named[0].endswith("LMHeadModel"):
        return True
    return config.flag("tie_word_embeddings", default=default)


def text(
    config: Section,
    architecture: str,
    metadata: Mapping[str, Value],
    *,
    tied: bool,
    tokenizer: str = "gpt2",
    optional: Collection[str] = (),
    biases: Collection[str] = (),
    absent: Collection[str] = (),
    more: Iterable[TensorSpec] = (),
    adjust: Callable[[TensorSpec], Iterable[TensorSpec]] | None = None,
    layers: Callable[[int, Layer], Layer] | None = None,
    loadable: bool = True,
    output: bool = True,
) -> Checkpoint:
    """The checkpoint of an architecture that llama.cpp has.

    Args:
        config: the section, for names and messages.
        architecture: llama.cpp's name.
        metadata: hyperparameters by GGUF key without its prefix.
        tied: the output matrix is the embedding.
        tokenizer: as ``Card.tokenizer``.
        optional: optional tensors of the architecture that this model has, as ``Card.optional_tensors``.
        biases: as ``checkpoint_tensors`` takes them.
        absent: as ``checkpoint_tensors`` takes them.
        more: tensors that llama.cpp does not load.
        adjust: what stands in the checkpoint for one tensor of the layout.
        layers: a layer by its number and what the architecture's plan says of it, where the checkpoint differs.
        loadable: False where llama.cpp has the architecture, but not with these sizes: there is no card then.
        output: False for encoders, which have no output matrix.

    Raises:
        Malformed: the sizes contradict each other.
    """
    name = model_name(config)
    card = Card(
        name=name,
        architecture=architecture,
        metadata={**_no_memory(config, architecture), **metadata},
        source=config.file or "config.json",
        tied=tied,
        tokenizer=tokenizer,
        # llama.cpp loads the biases of those architectures that may have them
        optional_tensors=(*optional, *(f"{name}.bias" for name in biases)),
    )
    meta = Metadata(architecture, card.header(), file=config.file, optional=card.optional_tensors)
    plan = ARCHITECTURES.get(architecture).plan(meta)
    listed = [*layout(meta, tied=tied), *more]
    width, vocabulary = meta.integer("embedding_length"), meta.integer("vocab_size")
    if output and not tied and all(tensor != "output.weight" for tensor, _ in listed):
        # llama.cpp only ever ties it, whatever the config says
        listed.append(("output.weight", (width, vocabulary)))
    trunk = sum(not layer.next_token for layer in plan.layers)
    if adjust is not None:
        listed = [there for tensor in listed for there in adjust(tensor)]
    if layers is not None:
        plan = replace(plan, layers=tuple(layers(index, layer) for index, layer in enumerate(plan.layers)))
    return _checkpoint(
        config,
        plan,
        card=card if loadable else None,
        tensors=tuple(checkpoint_tensors(listed, trunk=trunk, biases=biases, absent=absent)),
        width=width,
        vocabulary=vocabulary,
        context_tokens=meta.integer("context_length"),
        tied=tied,
    )


# the names of the same small number in configs of several makers
_EPSILONS = ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon", "block_norm_eps")


# where a config leaves them out: transformers' defaults of mrope_section (models/qwen3_vl/modeling_qwen3_vl.py)
_SECTIONS = {"qwen2vl": (16, 24, 24), "qwen3vl": (24, 20, 20), "qwen3vlmoe": (24, 20, 20)}


def _no_memory(config: Section, architecture: str) -> dict[str, Value]:
    """What no byte depends on, and what llama.cpp refuses a header without; keys it does not ask for do no harm."""
    name = next((name for name in _EPSILONS if config.has(name)), _EPSILONS[0])
    epsilon = config.number(name, 1e-5)
    values: dict[str, Value] = {
        "attention.layer_norm_rms_epsilon": epsilon,
        "attention.layer_norm_epsilon": epsilon,
    }
    rope = config.section("rope_scaling") or config.section("rope_parameters")
    found = rope.integers("mrope_section") if rope is not None and rope.is_list("mrope_section") else None
    sections = found or _SECTIONS.get(architecture)
    if sections:
        values["rope.dimension_sections"] = [*sections, *[0] * (4 - len(sections))]
    return values


def text_without_card(
    config: Section,
    plan: Plan,
    tensors: Iterable[TensorSpec],
    *,
    width: int,
    vocabulary: int,
    context_tokens: int,
    tied: bool,
) -> Checkpoint:
    """The checkpoint of a model that llama.cpp cannot run, or not with these sizes."""
    return _checkpoint(
        config,
        plan,
        card=None,
        tensors=tagged(tensors),
        width=width,
        vocabulary=vocabulary,
        context_tokens=context_tokens,
        tied=tied,
    )


def model_name(config: Section) -> str:
    """What the config calls its model: the last part of ``_name_or_path``, else the model type."""
    given = config.text("_name_or_path").rstrip("/").rpartition("/")[2]
    return given or config.model_type or "unnamed"


def dtype_of(config: Section) -> str | None:
    """The safetensors name of the config's ``dtype`` (before transformers 5, ``torch_dtype``); None where unknown.

    Raises:
        Malformed: no number format of torch.
    """
    at: Section | None = config
    while at is not None:
        field = "dtype" if at.values.get("dtype") else "torch_dtype"
        name = at.values.get(field)
        if isinstance(name, str):  # some releases write one for each half into an object
            name = name.removeprefix("torch.")
            if name not in _DTYPES and name not in _OTHER_DTYPES:
                raise at.malformed(field, f"is {name[:80]!r}, expected one of {', '.join(_DTYPES)}")
            return _DTYPES.get(name)
        at = at.parent
    return None


def _checkpoint(
    config: Section, plan: Plan, *, context_tokens: int, width: int, vocabulary: int, **rest: Any
) -> Checkpoint:
    return Checkpoint(
        name=model_name(config),
        model_type=config.model_type,
        layers=plan.layers,
        memory=plan.memory,
        window_tokens=plan.window_tokens,
        causal=plan.causal,
        embedding_length=width,
        vocabulary_tokens=vocabulary,
        context_trained_tokens=context_tokens,
        dtype=dtype_of(config),
        **rest,
    )
