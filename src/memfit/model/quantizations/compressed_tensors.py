"""compressed-tensors (llm-compressor): groups of modules, each with its own scheme."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._groups import read_groups
from memfit.model.quantizations._method import Method, kept, kv_cache
from memfit.model.quantizations._quantization import Quantization


def read(config: Section) -> Quantization:
    """``config_groups``, ``ignore``, ``kv_cache_scheme`` and ``format``.

    Raises:
        Malformed: a field is of the wrong kind or out of bounds, or no group has weights.
    """
    weights, ordered = read_groups(config)
    return Quantization(
        method="compressed-tensors",
        format=config.text("format"),
        weights=weights,
        group_index=ordered,
        kept_modules=kept(config, "ignore"),
        kv_cache=kv_cache(config),
    )


METHOD = Method(
    name="compressed-tensors",
    summary="W4A16, W8A8, FP8, NVFP4 and others, by groups of modules",
    source=(
        "transformers 5.23.0 utils/quantization_config.py, CompressedTensorsConfig;"
        " QuantizationArgs of compressed-tensors"
    ),
    read=read,
    aliases=("compressed_tensors",),
)
