"""Which part of a model a tensor is, by llama.cpp's name of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from memfit.model.architectures import TensorSpec
from memfit.model.configs._checkpoint import CheckpointTensor, Part

_BLOCK = re.compile(r"blk\.(\d+)\.(.+)")
_EMBEDDINGS = ("token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight")
_CONVOLUTIONS = ("ssm_conv1d.weight", "shortconv.conv.weight")
# stored beside the parameters, registered as buffers: e_score_correction_bias and expert_bias of the routers,
# layer_scalar of Gemma 4 (transformers 5.23.0 models/{deepseek_v3,nemotron_h,lfm2_moe,gemma4}/modeling_*.py)
_BUFFERS = ("exp_probs_b.bias", "layer_output_scale.weight")
# made by the conversion to GGUF, in no checkpoint
_MADE = re.compile(r"rope_(?:freqs|factors_long|factors_short)\.weight")


def part_of(name: str, dims: tuple[int, ...]) -> Part:
    """The part that decides how quantizers store this tensor."""
    match = _BLOCK.fullmatch(name)
    short = match.group(2) if match else name
    if name in _EMBEDDINGS:
        return "embedding"
    if name == "output.weight":
        return "output"
    if short.startswith("ffn_gate_inp"):
        return "router"
    if short in _CONVOLUTIONS:
        return "convolution"
    if "norm" in short:
        return "norm"
    return "linear" if sum(size > 1 for size in dims) > 1 and short.endswith(".weight") else "other"


def checkpoint_tensors(
    layout: Iterable[TensorSpec],
    *,
    trunk: int,
    biases: Collection[str] = (),
    absent: Collection[str] = (),
) -> Iterator[CheckpointTensor]:
    """The tensors of a checkpoint by the layout of its GGUF file.

    Args:
        layout: names and dims as llama.cpp has them.
        trunk: layers that transformers loads; those behind them predict next tokens, and it leaves them out.
        biases: matrices (name without the block and ``.weight``) that have a bias in the checkpoint, whether the layout
            lists it or not.
        absent: tensors (by full name, or without the block) that the layout lists and the checkpoint does not have.
    """
    listed = tuple(layout)
    names = {name for name, _ in listed}
    for name, dims in listed:
        match = _BLOCK.fullmatch(name)
        short = match.group(2) if match else name
        if _MADE.fullmatch(name) or short in absent or name in absent or (match and int(match.group(1)) >= trunk):
            continue
        yield CheckpointTensor(name, dims, part_of(name, dims), short not in _BUFFERS)
        matrix = short.removesuffix(".weight")
        if matrix in biases and f"{name.removesuffix('weight')}bias" not in names:
            yield CheckpointTensor(f"{name.removesuffix('weight')}bias", dims[1:], "other")


def tagged(layout: Iterable[TensorSpec]) -> tuple[CheckpointTensor, ...]:
    """Tensors with their parts, none left out."""
    return tuple(
        CheckpointTensor(name, dims, part_of(name, dims), name.split(".", 2)[-1] not in _BUFFERS)
        for name, dims in layout
    )
