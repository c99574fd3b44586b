"""The steps of the workbench's answers that are more than a call: windows, references, exchanged weights, answers."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_importance import Importance, Tensor
from memfit.engine._llama_cpp._child.bench_known import Known
from memfit.engine._llama_cpp._child.bench_layouts import LAYOUTS
from memfit.engine._llama_cpp._child.bench_model import Model, Refused
from memfit.engine._llama_cpp._child.bench_weights import Codec, Guide, Weight
from memfit.engine._llama_cpp._child.library import Library
from memfit.engine._llama_cpp._child.scores import Sample, beside, exact, log_probabilities, plain

_ALIGNMENT = 64  # of a buffer, as ggml's own (TENSOR_ALIGNMENT is 32, and lines of a cache are 64)
_GAUGES = (10, 11, 13, 23)  # ggml's Q2_K, Q3_K, Q5_K, IQ4_XS

if TYPE_CHECKING:
    from typing_extensions import Self


def windows(tokens: list[int], length: int, first_token: int | None) -> Iterator[list[int]]:
    """Whole windows one after another; each begins as a text does, in place of its own first token.

    As llama-perplexity cuts them (``perplexity`` and ``kl_divergence``, tools/perplexity/perplexity.cpp, 0c1e57098).
    """
    for start in range(0, len(tokens) - length + 1, length):
        window = tokens[start : start + length]
        if first_token is not None:
            window[0] = first_token
        yield window


def rows(model: Model, window: list[int], first: int) -> tuple[Any, Any]:
    """The logits of a window from position ``first`` on, but for the last, and the ids that come."""
    ids = np.array(window[first + 1 :])
    return model.logits(window, first, len(ids)), ids


def counted(
    logits: Any, ids: Any, base_logits: Any, reference: Sample | None, place: int
) -> tuple[dict[str, Any], Any]:
    """A window's figures, and the divergence of each of its predictions; None without a base.

    Args:
        logits: (rows, vocabulary) float32; ``base_logits`` the base's, None where it did not compute.
        ids: that come, (rows,).
        base_logits: see there.
        reference: what is kept of the base, None for none; its rows from ``place`` on are this window's.
        place: see there.
    """
    figures: dict[str, Any] = {"tokens": len(ids)}
    if base_logits is not None:
        of_base, found = exact(base_logits, logits, ids)
        figures["base_nats"] = -float(of_base.sum(dtype=np.float64))
    elif reference is not None:
        found = beside(reference, place, logits, ids)
        figures["base_nats"] = -float(reference.expected[place : place + len(ids)].sum(dtype=np.float64))
    else:
        found = plain(logits, ids)
    figures["nats"] = -float(found.expected.sum(dtype=np.float64))
    if found.divergence is None or found.agree is None:
        return figures, None
    summed = {"divergence": float(found.divergence.sum(dtype=np.float64)), "agree": int(found.agree.sum())}
    return {**figures, **summed}, found.divergence


def losses(
    codec: Codec, weight: Weight, blocks: Mapping[int, int], known: Known, most_rows: int
) -> tuple[list[tuple[float, float]], list[float]]:
    """``errors`` of formats, and what rounding activations adds to either, both as shares of the same.

    Args:
        codec: reads the weight, ``most_rows`` of each matrix.
        weight: see there.
        blocks: how many activations share a scale where they meet a format, by its number.
        known: of the weight.
        most_rows: see there.
    """
    guides = known.guide(weight)._replace(rows=None), known.plain(weight)
    found = errors(codec, weight, list(blocks), *guides, most_rows)
    stored, plain = (
        noise_shares(codec, weight, guide, noise, guides[0], most_rows)
        for guide, noise in zip(guides, known.noises(weight.name, set(blocks.values())), strict=True)
    )
    # one noise stands for both, that of the weight as the search stores it: what a preset's has more is in its error
    told = [
        (fed, unfed + plain[block] - stored[block]) for (fed, unfed), block in zip(found, blocks.values(), strict=True)
    ]
    return told, [stored[block] for block in blocks.values()]


def errors(
    codec: Codec, weight: Weight, kinds: list[int], guide: Guide, plain: Guide, most_rows: int
) -> list[tuple[float, float]]:
    """What each format loses on a weight: with errors fed back along rows, and as llama-quantize rounds.

    Both as shares of the power of what is stored by ``guide``; ``plain`` is what llama-quantize goes by. Feeding errors
    back takes as long for few rows as for many, so it is done for some formats, and what it brings to the others is
    taken to be what it brings to the nearest of those.
    """
    whole = codec.power(weight, guide, most_rows)
    if not whole:
        return [(0.0, 0.0)] * len(kinds)

    def share(kind: int, by: Guide) -> float:
        return codec.error(weight, kind, by, most_rows) / whole

    unfed = guide._replace(blocks=None)
    lost = {kind: share(kind, unfed) for kind in kinds}
    same = guide.balance is None and guide.importance is plain.importance
    as_it_is = dict(lost) if same else {kind: share(kind, plain) for kind in kinds}
    if guide.blocks:
        gauges = [kind for kind in kinds if kind in _GAUGES] or [kind for kind in kinds if kind in LAYOUTS]
        before = dict(lost)
        brought = {kind: share(kind, guide) / (before[kind] or 1.0) for kind in gauges}
        for kind in kinds:
            if kind in LAYOUTS and before[kind]:
                nearest = min(gauges, key=lambda one: abs(math.log((before[one] or 1.0) / before[kind])))
                lost[kind] *= brought[nearest]
    return [(lost[kind], as_it_is[kind]) for kind in kinds]


def means(found: Importance) -> tuple[dict[str, Any], dict[str, int]]:
    """Mean squares by weight, (experts or 1, columns); and how many experts of a weight no token was sent to.

    Those get the mean of the others, so that the quantizer has something to go by.
    """
    importance, idle = {}, {}
    for name, sums in found.sums.items():
        counts = found.counts[name]
        used = counts > 0
        if not used.any():
            continue
        mean = sums / np.maximum(counts, 1)[:, None]
        if not used.all():
            idle[name] = int((~used).sum())
            mean[~used] = sums[used].sum(axis=0) / counts[used].sum()
        if np.isfinite(mean).all():
            importance[name] = mean.astype(np.float32)
    return importance, idle


def noises(found: Importance) -> dict[tuple[str, int], Any]:
    """Mean squares of what rounding takes from a weight's activations, by column, for each size of block."""
    return {
        (name, block): (lost / found.noise_counts[name]).astype(np.float32)
        for name, by_block in found.noise.items()
        for block, lost in by_block.items()
    }


def noise_shares(
    codec: Codec, weight: Weight, guide: Guide, noise: Mapping[int, Any], of: Guide, most_rows: int
) -> dict[int, float]:
    """What rounding activations adds to a weight's product, by size of block.

    Args:
        codec: reads the weight, ``most_rows`` of each matrix.
        weight: whose.
        guide: to the weight that these activations meet.
        noise: what rounding takes from its activations, by size of block; None where that is not known.
        of: the guide of what the share is of, the power of the weight's product.
        most_rows: see there.
    """
    if all(lost is None for lost in noise.values()):
        return dict.fromkeys(noise, 0.0)  # it is looked up and not multiplied with
    squares, whole = codec.squares(weight, most_rows, guide.balance), codec.power(weight, of, most_rows)
    taken = {block: 0.0 if lost is None else float((squares * lost).sum()) for block, lost in noise.items()}
    return {block: each / whole if whole else 0.0 for block, each in taken.items()}


class Exchanged:
    """A weight of a loaded model that holds something else for a while; at the end it is what it was, to the bit.

    Where the weight lies in memory that the CPU computes from, the model is pointed to other numbers and back again,
    and what was there is never touched; on a GPU it is written over and restored from the file.
    """

    def __init__(self, library: Library, codec: Codec, model: Model, weight: Weight) -> None:
        size, pointer = ctypes.c_size_t, ctypes.c_void_p
        self._set = library.function("ggml_backend_tensor_set", None, pointer, pointer, size, size)
        host = library.function("ggml_backend_buffer_is_host", ctypes.c_bool, pointer)
        self._row = codec.row_bytes(weight.kind, weight.dims[0])
        self._weight = weight
        place = model.tensor(weight.name)
        if not place:
            raise Refused(f"find the weight {weight.name}: the engine loads no tensor of this name")
        self._place, self._tensor = place, Tensor.from_address(place)
        self._here = host is not None and bool(host(self._tensor.buffer))
        self._was = self._tensor.data
        self._numbers: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        weight = self._weight
        if self._here:
            self._tensor.data = self._was
            return
        content = np.memmap(weight.path, np.uint8, "r", weight.offset, weight.rows * self._row)
        self._write(0, np.ascontiguousarray(content))

    def put(self, codec: Codec, kind: int, guide: Guide) -> None:
        """What a format makes of it, stored in the format that it has."""
        size = self._weight.rows * self._row
        room = np.empty(size + _ALIGNMENT, np.uint8)
        start = -room.ctypes.data % _ALIGNMENT
        numbers = room[start : start + size]
        at = 0
        for matrix, values in codec.matrices(self._weight, balance=guide.balance):
            near = codec.decode(kind, codec.encode_by(kind, values, guide, matrix), self._weight.dims[0])
            if guide.balance is not None:  # the norm before it stays as it is; what rows have in common changes nothing
                near /= guide.balance[0]
            data = codec.encode(self._weight.kind, near, None)
            numbers[at : at + data.nbytes] = data
            at += data.nbytes
        if self._here:
            self._numbers = room  # held for as long as the model points there
            self._tensor.data = numbers.ctypes.data
        else:
            self._write(0, numbers)

    def _write(self, at: int, data: Any) -> None:
        assert self._set is not None
        self._set(self._place, data.ctypes.data, at, data.nbytes)


def generate(model: Model, window: list[int], tokens: int) -> dict[str, Any]:
    """Seconds that a prompt of one window and ``tokens`` answers take; closes the model."""
    try:
        began = time.monotonic()
        logits = model.logits(window[: len(window) // 2], len(window) // 2 - 1, 1)
        prompt_s = time.monotonic() - began
        began = time.monotonic()
        for at in range(tokens):
            logits = model.next(int(logits[0].argmax()), len(window) // 2 + at)
        return {"prompt_tokens": len(window) // 2, "prompt_s": prompt_s, "seconds": time.monotonic() - began}
    finally:
        model.close()


def continuation(model: Model, before: str, after: str) -> dict[str, Any]:
    """How likely a text is behind another, in nats, and whether each of its tokens is the likeliest."""
    start = model.tokens(before.encode())
    whole = model.tokens((before + after).encode())
    common = next((at for at, pair in enumerate(zip(start, whole, strict=False)) if pair[0] != pair[1]), len(start))
    common = max(1, min(common, len(whole) - 1))  # tokens may reach over the seam
    if len(whole) > model.window_tokens:
        raise Refused(f"score a task of {len(whole)} tokens in a window of {model.window_tokens}")
    ids = np.array(whole[common:])
    p = log_probabilities(model.logits(whole[:-1], common - 1, len(ids)))
    picked = p[np.arange(len(ids)), ids]
    return {
        "nats": -float(picked.sum(dtype=np.float64)),
        "tokens": len(ids),
        "greedy": bool((p.argmax(axis=1) == ids).all()),
    }


def write_reference(path: Path, sample: Sample, places: dict[int, int]) -> None:
    """A sample as a file: ids in as few bytes as they need, log probabilities as half floats."""
    ids = sample.ids.astype(np.uint16 if sample.ids.max(initial=0) < 1 << 16 else np.uint32)
    with path.open("wb") as file:
        np.savez(
            file,
            expected=sample.expected,
            ids=ids,
            values=sample.values.astype(np.float16),
            rest=sample.rest.astype(np.float16),
            likeliest=np.array(sample.likeliest),
            windows=np.array(sorted(places.items())),
        )


def read_reference(path: Path) -> tuple[Sample, dict[int, int]]:
    """A sample that ``write_reference`` wrote."""
    with np.load(path) as found:
        sample = Sample(
            found["expected"],
            found["ids"].astype(np.int32),
            found["values"].astype(np.float32),
            int(found["likeliest"]),
            found["rest"].astype(np.float32),
        )
        return sample, {int(window): int(place) for window, place in found["windows"]}
