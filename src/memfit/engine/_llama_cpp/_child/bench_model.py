"""A model on the bench: loaded, given windows of tokens, its rows of logits handed out, its tensors found by name."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.library import Library, pointer

_GET_TENSOR = "_ZNK11llama_model10get_tensorEPKc"  # llama_model::get_tensor, src/llama-model.h (0c1e57098)
_LOAD_NONE, _LOAD_MMAP = 0, 1  # llama_load_mode, include/llama.h


class Refused(Exception):
    """The engine does not do this; ``what`` completes "could not"."""


class _Pace:
    """How many threads decode: all, or one where that is faster.

    The engine's threads wait for each other by spinning (``ggml_barrier``, ggml/src/ggml-cpu/ggml-cpu.c, 0c1e57098): on
    a machine that does other things, several can take ten times as long as one. Both are timed now and then.
    """

    _EVERY = 48  # windows between two trials

    def __init__(self, threads: int) -> None:
        self._all = threads
        self._count = 0
        self._trial: dict[int, float] = {}
        self.threads = threads

    def took(self, seconds: float) -> None:
        """A window was decoded by ``threads`` threads in so long."""
        if self._all == 1:
            return
        at = self._count % self._EVERY
        self._count += 1
        if at in (1, 2):  # the first call also sets buffers up
            self._trial[self.threads] = seconds
        if at == 2:
            self.threads = min(self._trial, key=self._trial.__getitem__)
        else:
            self.threads = {0: self._all, 1: 1}.get(at, self.threads)


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """A variable that the engine reads while the block runs; None leaves it as it is."""
    if value is None:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


class Model:
    """One loaded model and a context for windows of text.

    Args:
        changeable: weights lie as they do in the file and are not rearranged, so that they can be exchanged. On the CPU
            they stay mapped, so that a base may be larger than memory; on a GPU they are copied there in any case.
        settings: ``window_tokens``, ``threads``, ``kv_type_k`` and ``kv_type_v`` (ggml's numbers), ``flash_attention``.
        watch: called for every tensor that the engine computes, as ``ggml_backend_sched_eval_callback``.

    Raises:
        Refused: it cannot be loaded, or there is no such context.
    """

    def __init__(
        self,
        library: Library,
        path: str,
        settings: dict[str, Any],
        *,
        changeable: bool = False,
        watch: Callable[[int, bool], bool] | None = None,
    ) -> None:
        self._library = library
        self._api = library.api
        self._settings = settings
        self._find = library.function(_GET_TENSOR, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
        self._keep: list[Any] = []
        library.log.begin()
        params = self._api.llama_model_default_params()
        params.load_mode = _LOAD_NONE if changeable and settings["gpu_layers"] else _LOAD_MMAP
        params.use_extra_bufts = not changeable
        params.n_gpu_layers = settings["gpu_layers"]
        if not settings["gpu_layers"]:
            nothing = (ctypes.c_void_p * 1)(None)  # an empty list of devices, where NULL would mean all of them
            params.devices = ctypes.cast(nothing, dict(params._fields_)["devices"])
            self._keep.append(nothing)
        self._model = self._api.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise Refused(f"load {Path(path).name}")
        self._vocabulary = self._api.llama_model_get_vocab(self._model)
        self.vocabulary_tokens = int(self._api.llama_vocab_n_tokens(self._vocabulary))
        # a graph that is used again may hold views that point to where a weight was
        with _environment("LLAMA_GRAPH_REUSE_DISABLE", "1" if changeable else None):
            self._context = self._new_context(watch)
        self._pace = _Pace(settings["threads"])
        self.window_tokens = int(settings["window_tokens"])
        self._batch = self._api.llama_batch_init(self.window_tokens, 0, 1)

    def close(self) -> None:
        """Give its memory back."""
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self._context)
        self._api.llama_model_free(self._model)

    def tokens(self, text: bytes) -> list[int]:
        """The ids of a text, with what the tokenizer puts before it; names of special tokens stand for themselves."""
        room = (self._api.llama_token * (len(text) + 2))()
        count = self._api.llama_tokenize(self._vocabulary, text, len(text), room, len(room), True, False)
        if count < 0:
            raise Refused("tokenize the text")
        return list(room[:count])

    @property
    def first_token(self) -> int | None:
        """What a text begins with, None where the model's does not begin with a token of its own."""
        if not self._api.llama_vocab_get_add_bos(self._vocabulary):
            return None
        return int(self._api.llama_vocab_bos(self._vocabulary))

    @property
    def name(self) -> int:
        """Address of the engine's model."""
        return pointer(self._model)

    def tensor(self, name: str) -> int:
        """Address of a weight by name, 0 where the engine has none of this name."""
        if self._find is None:
            raise Refused("find a weight by name: this build does not export llama_model::get_tensor")
        return self._find(self.name, name.encode()) or 0

    def logits(self, window: list[int], first: int, count: int) -> Any:
        """Logits of ``count`` positions from ``first`` on, (count, vocabulary) float32; valid until the next call.

        Raises:
            Refused: the engine cannot decode it.
        """
        batch = self._batch
        memory = self._api.llama_get_memory(self._context)
        if memory:
            self._api.llama_memory_clear(memory, True)
        batch.n_tokens = len(window)
        for at, token in enumerate(window):
            batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, at, 1
            batch.seq_id[at][0], batch.logits[at] = 0, first <= at < first + count
        threads = self._pace.threads
        self._api.llama_set_n_threads(self._context, threads, threads)
        began = time.monotonic()
        status = self._api.llama_decode(self._context, batch)
        if status != 0:
            raise Refused(f"decode {len(window)} tokens: llama_decode returned {status}")
        self._api.llama_synchronize(self._context)
        self._pace.took(time.monotonic() - began)
        rows = self._api.llama_get_logits(self._context)
        return np.ctypeslib.as_array(rows, (count, self.vocabulary_tokens))

    def next(self, token: int, position: int) -> Any:
        """Logits behind one more token, (1, vocabulary) float32; valid until the next call."""
        batch = self._batch
        batch.n_tokens = 1
        batch.token[0], batch.pos[0], batch.n_seq_id[0] = token, position, 1
        batch.seq_id[0][0], batch.logits[0] = 0, True
        status = self._api.llama_decode(self._context, batch)
        if status != 0:
            raise Refused(f"decode one token: llama_decode returned {status}")
        self._api.llama_synchronize(self._context)
        return np.ctypeslib.as_array(self._api.llama_get_logits(self._context), (1, self.vocabulary_tokens))

    def _new_context(self, watch: Callable[[int, bool], bool] | None) -> Any:
        settings = self._settings
        params = self._api.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = settings["window_tokens"]
        params.n_ubatch = min(settings["window_tokens"], 512)  # the default of llama.cpp's tools
        params.n_threads = params.n_threads_batch = settings["threads"]
        params.type_k, params.type_v = settings["kv_type_k"], settings["kv_type_v"]
        params.flash_attn_type = settings["flash_attention"]
        if watch is not None:

            @self._api.ggml_backend_sched_eval_callback  # type: ignore[untyped-decorator]
            def on_tensor(tensor: int, ask: bool, _data: object) -> bool:
                return watch(tensor, ask)

            params.cb_eval = on_tensor
            self._keep.append(on_tensor)
        self._library.log.begin()
        context = self._api.llama_init_from_model(self._model, params)
        if not context:
            raise Refused("make a context with these options")
        return context
