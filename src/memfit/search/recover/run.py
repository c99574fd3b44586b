"""A recovery from end to end: the teacher read, the student trained, its numbers laid down for the writer."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from memfit.engine.ggml import Codec, Weight, codec
from memfit.errors import UsageError
from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS
from memfit.search.base import Base
from memfit.search.records import Recovered
from memfit.search.recover import room
from memfit.search.recover.distil import Distiller
from memfit.search.recover.network import Network, read_network
from memfit.search.recover.quantizer import quantizers
from memfit.search.recover.records import Recovery, Trained
from memfit.search.recover.student import Student
from memfit.search.recover.train import Said, Training

_RULES = 6  # of what is trained: another number where the same question has another answer
_HEAD, _NORM = "output.weight", "output_norm.weight"
_MOST_CHECKED = 16
_MOST_PIECE_TOKENS = 256
_BFLOAT16 = ("avx512_bf16", "amx_bf16", " bf16")  # flags in /proc/cpuinfo, of x86 and of Arm


def distil(
    base: Base,
    formats: Mapping[str, str],
    windows: Sequence[Sequence[int]],
    importances: Mapping[str, Any],
    asked: Recovery,
    *,
    folder: Path,
    threads: int | None,
    said: Said,
    start: Path | None = None,
    balance: Any = None,
) -> Trained:
    """See ``recover``.

    Args:
        base: see there.
        formats: see there.
        windows: ids, all of one length.
        importances: (experts, columns) by tensor.
        asked: see there.
        folder: where the state and the best weights are kept.
        threads: all that this process may use where None.
        said: see there.
        start: a file in these formats that training begins with; None begins with ggml's own rounding.
        balance: what the search multiplies the head's columns with and takes from them before, (2, columns), where it
            stores them in another format.
    """
    if all(one.name != _HEAD or formats.get(_HEAD, one.format) == one.format for one in base.shape.tensors):
        balance = None  # then it lies there as it was
    elif balance is not None:
        importances = {**importances, _HEAD: importances[_HEAD] / balance[0] ** 2}
    device, network, workers, threads = prepared(base, len(windows[0]), asked, threads)
    ids = _ids(windows, base, device)
    begun = None if start is None else Base(str(start), forced=True)
    place = folder / f"recovered-{_digest(base, formats, windows, importances, asked, device, begun, balance)}"
    place.mkdir(parents=True, exist_ok=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        ggml = codec(threads)
        teacher = read_weights(base, ggml, device)
        student = Student(_balanced(teacher, balance), quantizers(ggml, _stored(base, formats), importances))
        if begun is not None:
            student.begin(read_weights(begun, ggml, device))
        distiller = Distiller(network, teacher, workers=workers, threads=threads, half=_has_bfloat16(device))
        trained, checked = _dealt(ids)
        training = Training(student, distiller, _pieces(trained), checked, asked, place)
        training.run(said)
    finally:
        torch.set_num_threads(before)
    record = Recovered(
        loss_before=training.before,
        loss_after=training.best,
        checked_tokens=checked.numel(),
        tokens=training.tokens,
        steps=training.step,
        text_tokens=min(training.tokens, trained.numel()),
        seconds=round(training.seconds, 1),
        seed=asked.seed,
        rate=asked.rate,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        text_sha256=_text_digest(windows),
        weights_sha256=training.sha256,
        resumed=training.resumed,
    )
    replaced = {} if training.sha256 is None else student.places(training.place)
    return Trained(record=record, replaced=replaced)


def prepared(
    base: Base, window_tokens: int, asked: Recovery, threads: int | None
) -> tuple[torch.device, Network, int, int]:
    """Where a base is trained, as what, by how many workers with how many threads in all.

    Args:
        base: see ``recover``.
        window_tokens: of each window.
        asked: see ``recover``.
        threads: all that this process may use where None.

    Raises:
        UsageError: no CUDA where it is asked for, or an architecture that cannot be trained here.
        MemfitError: not enough memory.
    """
    device = _device(asked)
    network = read_network(base.header)
    parameters = base.shape.parameters
    threads = threads or len(os.sched_getaffinity(0))
    workers = 1 if device.type == "cuda" else room.workers_for(parameters, threads, asked.windows)
    room.refuse(base.path, room.needed_bytes(network, parameters, window_tokens, workers), device)
    return device, network, workers, threads


def _device(asked: Recovery) -> torch.device:
    if asked.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA here", hint="take the CPU, or a build of PyTorch with CUDA")
    return torch.device("cuda" if asked.device != "cpu" and torch.cuda.is_available() else "cpu")


def _ids(windows: Sequence[Sequence[int]], base: Base, device: torch.device) -> torch.Tensor:
    ids = torch.tensor(windows, dtype=torch.int64)
    if int(ids.max()) >= base.shape.vocabulary_tokens:
        raise UsageError(f"{base.path}: its tokenizer has more tokens than the model", hint="leave --recover out")
    return ids.to(device)


def _dealt(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows to train on, and to check on: a tenth, spread evenly."""
    count = min(_MOST_CHECKED, max(2, len(ids) // 10))
    checked = {round((at + 0.5) * len(ids) / count - 0.5) for at in range(count)}
    return ids[[at for at in range(len(ids)) if at not in checked]], ids[sorted(checked)]


def _pieces(windows: torch.Tensor) -> torch.Tensor:
    """Windows cut shorter: more steps for as many tokens. Where all begin with one token, pieces do so too."""
    count = -(-windows.shape[1] // _MOST_PIECE_TOKENS)
    length = windows.shape[1] // count
    pieces = windows[:, : count * length].reshape(-1, length).clone()
    if bool((windows[:, 0] == windows[0, 0]).all()):
        pieces[:, 0] = windows[0, 0]
    return pieces


def _balanced(teacher: Mapping[str, torch.Tensor], balance: Any) -> Mapping[str, torch.Tensor]:
    """The same predictions by another head, which the search stores."""
    if balance is None:
        return teacher
    factors, taken = torch.from_numpy(balance).to(teacher[_HEAD].device)
    return {**teacher, _HEAD: (teacher[_HEAD] - taken) * factors, _NORM: teacher[_NORM] / factors}


def read_weights(base: Base, ggml: Codec, device: torch.device) -> dict[str, torch.Tensor]:
    """All weights of a base by name, in float32."""
    return {one.name: _read(ggml, base, one).to(device) for one in base.shape.tensors}


def _read(ggml: Codec, base: Base, tensor: Tensor) -> torch.Tensor:
    """A weight of the base, (rows, columns) or (columns,) float32."""
    shard = base.shape.shards[tensor.shard]
    number = FORMATS.get(tensor.format).number
    weight = Weight(tensor.name, shard.path, shard.data_offset + tensor.offset, tensor.dims, number)
    rows = np.concatenate([values for _, values in ggml.matrices(weight)])
    return torch.from_numpy(rows.reshape(tensor.dims[::-1]))


def _stored(base: Base, formats: Mapping[str, str]) -> dict[str, str]:
    """Formats of all tensors that a file does not hold as the numbers that are trained."""
    found = {one.name: formats.get(one.name, one.format) for one in base.shape.tensors}
    return {name: format for name, format in found.items() if format != "F32"}


def _has_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster than in float32; gradients are good enough with both."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(name in flags for name in _BFLOAT16)


def _text_digest(windows: Sequence[Sequence[int]]) -> str:
    return hashlib.sha256(np.asarray(windows, np.int32).tobytes()).hexdigest()


def _digest(
    base: Base,
    formats: Mapping[str, str],
    windows: Sequence[Sequence[int]],
    importances: Mapping[str, Any],
    asked: Recovery,
    device: torch.device,
    begun: Base | None,
    balance: Any,
) -> str:
    """Of everything that the result depends on."""
    weighed = hashlib.sha256()
    for name in sorted(importances):
        weighed.update(name.encode() + np.ascontiguousarray(importances[name], np.float32).tobytes())
    known = {
        "rules": _RULES,
        "base": base.identity(),
        "formats": sorted(formats.items()),
        "text": _text_digest(windows),
        "importances": weighed.hexdigest(),
        "asked": msgspec.to_builtins(asked),
        "device": device.type,
        "balance": None if balance is None else hashlib.sha256(balance.tobytes()).hexdigest(),
        "begun": None if begun is None else begun.sha256(),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
