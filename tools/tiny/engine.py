"""The real engine, through llama-cpp-python: tokenize, quantize to any preset, measure perplexity."""

from __future__ import annotations

import ctypes
import importlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

from memfit.model.gguf.reader import read_header

numpy: Any = importlib.import_module("numpy")  # by name: its stubs need a newer syntax than the type checker is set to

N_CTX = 512
_log: list[str] = []


def _keep(_level: int, text: bytes, _data: object) -> None:
    _log.append(text.decode(errors="replace"))


_KEEP = llama_cpp.llama_log_callback(_keep)  # held for as long as the engine may call it
llama_cpp.llama_log_set(_KEEP, None)


class EngineError(RuntimeError):
    """The engine refused; the message ends with what it logged last."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: {''.join(_log)[-2000:]}")


@dataclass(frozen=True)
class Score:
    """Perplexity by the protocol of llama-perplexity: windows of 512 tokens, the later half of each predicted.

    Args:
        tokens: predicted tokens.
        bytes: what they spell, in bytes of text.
        nats: summed loss.
    """

    tokens: int
    bytes: int
    nats: float

    @property
    def perplexity(self) -> float:
        """Exponential of the mean loss per token."""
        return math.exp(self.nats / self.tokens)

    @property
    def bits_per_byte(self) -> float:
        """Loss in bits per byte of text; does not depend on the vocabulary."""
        return self.nats / math.log(2) / self.bytes


def presets() -> dict[str, int]:
    """Every file type that the engine can be asked to quantize to, by name, in the engine's order."""
    named = {name: value for name, value in vars(llama_cpp).items() if name.startswith("LLAMA_FTYPE_")}
    return {
        name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_"): value
        for name, value in sorted(named.items(), key=lambda item: item[1])
        if name != "LLAMA_FTYPE_GUESSED"
    }


def quantize(source: Path, target: Path, preset: str, *, importance: Path | None = None, dry_run: bool = False) -> str:
    """Quantize a model and return what the engine logged.

    Raises:
        EngineError: the engine refused the preset.
    """
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = presets()[preset]
    params.nthread = 2
    params.dry_run = dry_run
    entries = _entries(importance) if importance else None
    if entries is not None:
        params.imatrix = entries
    _log.clear()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)):
        raise EngineError(f"{preset} refused")
    return "".join(_log)


def _entries(path: Path) -> Any:
    """An imatrix file as the array the engine takes, closed by an entry without a name."""
    header = read_header(path)
    where = {tensor.name: tensor for tensor in header.tensors}
    data = path.read_bytes()

    def values(name: str) -> Any:
        tensor = where[name]
        return numpy.frombuffer(data, numpy.float32, math.prod(tensor.dims), header.data_offset + tensor.offset)

    weights = [name.removesuffix(".in_sum2") for name in where if name.endswith(".in_sum2")]
    entries = (llama_cpp.llama_model_imatrix_data * (len(weights) + 1))()
    for entry, weight in zip(entries, weights, strict=False):
        means = values(f"{weight}.in_sum2") / values(f"{weight}.counts")
        entry.name, entry.size = weight.encode(), len(means)
        entry.data = (ctypes.c_float * len(means))(*means.tolist())
    return entries


@contextmanager
def _context(path: Path) -> Iterator[tuple[Any, Any]]:
    """A loaded model's vocabulary and a context of ``N_CTX`` tokens."""
    _log.clear()
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise EngineError(f"{path} not loaded")
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = N_CTX
    params.n_threads = params.n_threads_batch = 1  # its threads wait by spinning: on a shared machine one is faster
    context = llama_cpp.llama_init_from_model(model, params)
    try:
        if not context:
            raise EngineError("no context")
        yield llama_cpp.llama_model_get_vocab(model), context
    finally:
        llama_cpp.llama_free(context)
        llama_cpp.llama_model_free(model)


def _ids(vocabulary: Any, text: str, *, add_special: bool) -> list[int]:
    data = text.encode()
    room = (llama_cpp.llama_token * (len(data) + 2))()
    count = llama_cpp.llama_tokenize(vocabulary, data, len(data), room, len(room), add_special, False)
    if count < 0:
        raise EngineError("not tokenized")
    return room[:count]


def tokenize(path: Path, texts: list[str]) -> list[list[int]]:
    """The engine's ids of each text, without special tokens."""
    with _context(path) as (vocabulary, _):
        return [_ids(vocabulary, text, add_special=False) for text in texts]


def score(path: Path, text: str, *, stride: int = 1) -> Score:
    """Perplexity of a model on a text.

    Args:
        path: model file.
        text: at least ``N_CTX`` tokens.
        stride: measure every so many windows.
    """
    with _context(path) as (vocabulary, context):
        ids = _ids(vocabulary, text, add_special=True)
        start_of_text, n_vocab = llama_cpp.llama_vocab_bos(vocabulary), llama_cpp.llama_vocab_n_tokens(vocabulary)
        tokens, bytes_, nats = 0, 0, 0.0
        for start in range(0, len(ids) - N_CTX + 1, N_CTX * stride):
            window = [start_of_text, *ids[start + 1 : start + N_CTX]]
            expected = window[N_CTX // 2 + 1 :]
            nats += _loss(context, window, expected, n_vocab)
            tokens += len(expected)
            bytes_ += sum(_spelled_bytes(vocabulary, token) for token in expected)
    return Score(tokens, bytes_, nats)


def _loss(context: Any, window: list[int], expected: list[int], n_vocab: int) -> float:
    """Summed loss, in nats, of the tokens of ``expected``, which end the window."""
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    batch = llama_cpp.llama_batch_init(len(window), 0, 1)
    batch.n_tokens = len(window)
    first = len(window) - len(expected) - 1
    for at, token in enumerate(window):
        batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, at, 1
        batch.seq_id[at][0], batch.logits[at] = 0, first <= at < len(window) - 1
    if llama_cpp.llama_decode(context, batch):
        raise EngineError("not decoded")
    llama_cpp.llama_batch_free(batch)
    rows = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits(context), (len(expected), n_vocab)).astype(numpy.float64)
    rows -= rows.max(1, keepdims=True)
    right = rows[numpy.arange(len(expected)), expected]
    return float((numpy.log(numpy.exp(rows).sum(1)) - right).sum())


def _spelled_bytes(vocabulary: Any, token: int) -> int:
    room = ctypes.create_string_buffer(256)
    return int(llama_cpp.llama_token_to_piece(vocabulary, token, room, len(room), 0, False))
