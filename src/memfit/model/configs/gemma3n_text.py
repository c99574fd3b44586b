"""The text half of Gemma 3n: later layers read earlier caches, streams between layers, per-layer embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from memfit.model.architectures import TensorSpec
from memfit.model.architectures import gemma3n as arch
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    attention_biases,
    window_types,
    windows,
)
from memfit.model.configs._section import MOST_LAYERS, Section
from memfit.model.configs._sharing import check_sharing, per_layer, reading_plan, reading_tensors, without
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Windows as the config lists them, or in all layers but every fifth.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    layers = config.integer("num_hidden_layers", default=35, most=MOST_LAYERS)
    lengths = per_layer(config, "intermediate_size", layers, 16384)
    sizes = read_sizes(
        without(config, "intermediate_size"),
        layers=35,
        width=2048,
        feed_forward=0,
        heads=8,
        kv_heads=2,
        head=256,
        vocabulary=262400,
        context=32768,
    )
    pattern = window_types(config, layers, period=arch.PERIOD)
    shared = config.integer("num_kv_shared_layers", default=15, least=0, most=layers)
    own = check_sharing(config, pattern, layers - shared)
    inner = _Inner(
        streams=config.integer("altup_num_inputs", default=4, least=2, most=64),
        rank=config.integer("laurel_rank", default=64),
        width=config.integer("hidden_size_per_layer_input", default=256),
        vocabulary=config.integer("vocab_size_per_layer_input", default=262144),
    )
    metadata = sizes.metadata(
        attention__sliding_window=config.integer("sliding_window", default=512),
        attention__shared_kv_layers=shared,
        embedding_length_per_layer_input=inner.width,
    ) | windows(pattern)
    metadata["feed_forward_length"] = list(lengths)
    expected = (arch.STREAMS, arch.LAUREL_RANK, arch.PER_LAYER_WIDTH)
    return text(
        config,
        "gemma3n",
        metadata,
        tied=tied(config, default=True),
        tokenizer="llama",
        biases=attention_biases(config),
        absent=reading_tensors(own, layers),
        adjust=_resized(inner, sizes.width, layers),
        layers=reading_plan(pattern, own),
        loadable=(inner.streams, inner.rank, inner.width) == expected and own == arch.OWN_CACHES,
    )


@dataclass(frozen=True)
class _Inner:
    """Sizes that llama.cpp takes for granted."""

    streams: int
    rank: int
    width: int
    vocabulary: int


def _resized(inner: _Inner, width: int, layers: int) -> Callable[[TensorSpec], Iterable[TensorSpec]]:
    sizes = {
        "altup_proj.weight": (width, width, inner.streams - 1),
        "altup_unembd_proj.weight": (width, width, inner.streams - 1),
        "per_layer_token_embd.weight": (inner.width * layers, inner.vocabulary),
        "per_layer_model_proj.weight": (width, inner.width * layers),
        "per_layer_proj_norm.weight": (inner.width,),
        "inp_gate.weight": (width, inner.width),
        "proj.weight": (inner.width, width),
        "altup_correct_coef.weight": (inner.streams, inner.streams),
        "altup_predict_coef.weight": (inner.streams, inner.streams**2),
        "altup_router.weight": (width, inner.streams),
        "laurel_l.weight": (width, inner.rank),
        "laurel_r.weight": (inner.rank, width),
    }

    def adjust(tensor: TensorSpec) -> Iterable[TensorSpec]:
        name, dims = tensor
        return ((name, sizes.get(name.split(".", 2)[2] if name.startswith("blk.") else name, dims)),)

    return adjust


CONFIG = Config(
    model_type="gemma3n_text",
    summary="the text half of Gemma 3n",
    source=transformers("gemma3n"),
    read=read,
)
