"""What an ``mmproj`` file takes: its weights, which are read into a buffer, and the compute buffer of each encoder.

Follows ``clip_init``, ``clip_model_loader`` and ``clip_encode`` of tools/mtmd/clip.cpp (llama.cpp 0c1e57098). The
weights are never mapped. At start the engine plans the graph for a picture of a modest size and takes its buffer; a
larger picture makes the buffer grow when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isqrt

import msgspec

from memfit.engine._llama_cpp.encoder_graph import F16, F32, Dims
from memfit.engine._llama_cpp.encoders import PROJECTORS, Encoder, Projector
from memfit.engine.records import Backend
from memfit.errors import Malformed
from memfit.model.shape import Tensor, Tower
from memfit.units import MIB

ALIGNMENT_BYTES = 32  # TENSOR_ALIGNMENT, ggml/src/ggml-impl.h
SOUND_FRAMES = 3000  # warmup_audio_size, tools/mtmd/clip-model.h: thirty seconds, and pieces are never longer
BATCH_TOKENS = 1024  # batch_max_tokens of mtmd_context_params_default, tools/mtmd/mtmd.cpp
CHANNELS = 3
# the picture in F32: as preprocessed, as copied to a batch, as laid out for the graph, and its bytes before (mtmd.cpp,
# clip.cpp); measured on CPU with pictures of 512 to 1024 pixels a side
PICTURE_COPIES = 4
# buf_compute_meta, zero-filled: room for 8192 nodes of 336 bytes behind an object of 32 (clip_ctx, ggml/include/ggml.h)
GRAPH_BYTES = 8192 * (336 + 32)
# code of libmtmd that gets touched and small heap: 1 to 3 MiB over the rest in every run measured
SLACK_BYTES = 4 * MIB
# an encoder whose graph memfit does not know: a plain one of the same sizes, and four times that at most
UNKNOWN_FACTOR = 4


class ProjectorBytes(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a projector file in use.

    Attributes:
        weights_bytes: all tensors, in buffers of their own.
        reserved_bytes: compute buffers that the engine takes at start, exact on CPU.
        compute_low_bytes: nothing on CPU, where memory counts once it is touched; on a GPU the buffers of the start.
        compute_likely_bytes: with a picture or sound of the size that the engine reserves for.
        compute_high_bytes: with the largest picture that it accepts.
        error: what the bounds cover, in words.
    """

    weights_bytes: int
    reserved_bytes: int
    compute_low_bytes: int
    compute_likely_bytes: int
    compute_high_bytes: int
    error: str = ""


def projector_bytes(towers: Iterable[Tower], tensors: Sequence[Tensor], backend: Backend = "cpu") -> ProjectorBytes:
    """What a projector takes beside the language model.

    Args:
        towers: its encoders.
        tensors: all tensors of its file.
        backend: where the encoders run.

    Raises:
        Malformed: a tensor that the kind of projector needs is missing or has other dims.
    """
    dims = {tensor.name: tensor.dims for tensor in tensors}
    formats = {tensor.name: tensor.format for tensor in tensors}
    reserved = likely = high = 0
    unknown = []
    for tower in towers:
        if tower.projector not in PROJECTORS:
            unknown.append(tower.projector)
        start, largest = _sizes(tower, dims, formats)
        reserved += start.buffer_bytes
        likely += start.buffer_bytes + start.beside_bytes
        high += largest.buffer_bytes + largest.beside_bytes + SLACK_BYTES
    return ProjectorBytes(
        weights_bytes=sum(_padded(tensor.bytes) for tensor in tensors),
        reserved_bytes=reserved,
        compute_low_bytes=0 if backend == "cpu" else reserved,
        compute_likely_bytes=likely,
        compute_high_bytes=high,
        error=_error(unknown),
    )


def _error(unknown: list[str]) -> str:
    if unknown:
        names = ", ".join(unknown)
        return (
            f"memfit does not know the graph of {names}: between nothing and {UNKNOWN_FACTOR} times a plain encoder's"
        )
    return "from no picture at all to the largest that the engine accepts"


class _Run(msgspec.Struct, frozen=True):
    """One picture or sound: the compute buffer, and what is taken beside it while it is encoded."""

    buffer_bytes: int
    beside_bytes: int


def _sizes(tower: Tower, dims: Mapping[str, Dims], formats: Mapping[str, str]) -> tuple[_Run, _Run]:
    """At the size that the engine reserves for, and at the largest."""
    if tower.projector not in PROJECTORS:
        plain = _plain(tower, dims)
        return plain, _Run(UNKNOWN_FACTOR * plain.buffer_bytes, UNKNOWN_FACTOR * plain.beside_bytes)
    kind = PROJECTORS.get(tower.projector)
    merge = tower.merge_size or kind.merge
    wide = formats.get("v.patch_embd.weight") == "BF16"
    runs = []
    for columns, rows, pieces in _grids(tower, kind, merge):
        encoder = Encoder(tower=tower, columns=columns, rows=rows, merge=merge, tensors=dims, wide=wide)
        try:
            buffer = kind.graph(encoder).peak_bytes()
        except (KeyError, IndexError, ZeroDivisionError) as error:
            raise Malformed(f"a {kind.name} projector without the tensors of one: {error}") from None
        runs.append(_Run(buffer * pieces, _beside(encoder) * pieces + GRAPH_BYTES))
    return runs[0], runs[1]


def _grids(tower: Tower, kind: Projector, merge: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Patches across and down and pieces at once, at start and at most."""
    if tower.kind == "audio":
        return (SOUND_FRAMES, 1, 1), (SOUND_FRAMES, 1, 1)
    trained = tower.image_size // tower.patch_size
    if not kind.most_tokens:
        tokens = max(1, (trained // max(1, merge)) ** 2)
        pieces = max(1, BATCH_TOKENS // tokens) if kind.batches else 1
        return (trained, trained, 1), (trained, trained, pieces)
    across, down = _rectangle(kind.most_tokens)
    most = across * merge, down * merge
    # clip_hparams::set_limit_image_tokens takes the root of the pixels, set_warmup_n_tokens whole tokens a side
    warm = isqrt(kind.warm_tokens) * merge if kind.warm_tokens else isqrt(most[0] * most[1])
    return (warm, warm, 1), (*most, 1)


def _rectangle(tokens: int) -> tuple[int, int]:
    """The two factors of a number that lie nearest to each other."""
    side = isqrt(tokens)
    while tokens % side:
        side -= 1
    return tokens // side, side


def _beside(encoder: Encoder) -> int:
    """The CPU's work buffer, the copies of the picture and the embeddings it becomes."""
    prefix = "a" if encoder.tower.kind == "audio" else "v"
    inner = encoder.inner(f"{prefix}.blk.0") if encoder.tower.layers else 0
    # matrices in 16 bits multiply rows rounded to 16 bits (ggml_graph_plan, ggml/src/ggml-cpu/ggml-cpu.c)
    work = F16 * encoder.patches * inner
    if prefix == "a":
        return work // 2 + PICTURE_COPIES * F32 * encoder.columns * encoder.tower.mel_bins
    picture = F32 * CHANNELS * encoder.patches * encoder.tower.patch_size**2
    tokens = encoder.patches // max(1, encoder.merge) ** 2
    features = 1 + sum(1 for name in encoder.tensors if name.startswith("v.deepstack.") and name.endswith("fc2.weight"))
    return work + PICTURE_COPIES * picture + F32 * tokens * features * _text_width(encoder)


def _text_width(encoder: Encoder) -> int:
    """Numbers in a token's embedding: the widest that a matrix of the projector gives."""
    widths = (
        dims[1]
        for name, dims in encoder.tensors.items()
        if name.startswith(("mm.", "resampler.proj")) and len(dims) == 2
    )
    return max(widths, default=encoder.width)


def _plain(tower: Tower, dims: Mapping[str, Dims]) -> _Run:
    """A plain encoder: three rows of the width and one of the feed-forward for each patch (as SigLIP takes)."""
    if tower.kind == "audio":
        patches = SOUND_FRAMES // 2
    else:
        pixels = max(tower.image_size**2, tower.most_pixels)
        patches = max(1, pixels // tower.patch_size**2)
    widest = max((max(entry) for name, entry in dims.items() if ".ffn_" in name and len(entry) == 2), default=0)
    inner = max(tower.feed_forward_length, widest)
    buffer = F32 * patches * (inner + 3 * tower.embedding_length)
    return _Run(buffer, buffer // 2)


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
