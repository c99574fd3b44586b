"""Load a model without its weights and reserve contexts for it, without allocating either."""

from __future__ import annotations

import ctypes
from typing import Any

from memfit.engine._llama_cpp._child.breakdown import Breakdown, Unreadable
from memfit.engine._llama_cpp._child.graph import Graphs
from memfit.engine._llama_cpp._child.hollow import HollowBuffers
from memfit.engine._llama_cpp._child.library import Library, pointer
from memfit.engine._llama_cpp._child.log import agree, figures

_F32_BYTES = 4
_LOAD_MODE_NONE = 0  # llama_load_mode, include/llama.h; no_alloc asserts against mmap
_COUNTS = {
    "context_tokens": "llama_n_ctx",
    "slot_tokens": "llama_n_ctx_seq",
    "batch_tokens": "llama_n_batch",
    "ubatch_tokens": "llama_n_ubatch",
    "slots": "llama_n_seq_max",
}


def reserve(library: Library, job: dict[str, Any]) -> dict[str, Any]:
    """One load for each entry of ``job["loads"]`` and one context for each entry of its ``contexts``."""
    loads = []
    hollow = HollowBuffers(library)
    for load in job["loads"]:
        library.log.begin()
        model = _load(library, job["model"], load)
        if not model:
            return library.log.failure("load the model")
        loaded = _Model(library, model)
        loads.append([loaded.context(settings) for settings in load["contexts"]])
        library.api.llama_model_free(model)
    return {"loads": loads, "state_allocated": hollow.kinds == 0}


def _load(library: Library, source: dict[str, str], load: dict[str, Any]) -> Any:
    params = library.api.llama_model_default_params()
    params.no_alloc = True
    params.load_mode = _LOAD_MODE_NONE
    params.use_extra_bufts = load["repack"]
    params.n_gpu_layers = load["gpu_layers"]
    nothing = (ctypes.c_void_p * 1)(None)
    if not load["gpu"]:  # an empty list of devices, where NULL would mean all of them
        params.devices = ctypes.cast(nothing, dict(params._fields_)["devices"])
    if "stub" in source:
        return library.api.llama_model_load_from_file(source["stub"].encode(), params)
    # a description has no tensors to skip: skipping the next-token-prediction layers asserts there
    params.load_mtp = True
    read = library.function("gguf_init_from_file", ctypes.c_void_p, ctypes.c_char_p, _GgufInitParams)
    initialise = library.function(
        "llama_model_init_from_user", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, type(params)
    )
    metadata = read(source["metadata"].encode(), _GgufInitParams(True, None)) if read else None
    return initialise(metadata, None, None, params) if initialise and metadata else None


class _GgufInitParams(ctypes.Structure):
    """``gguf_init_params``, ggml/include/gguf.h."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


class _Model:
    """A loaded model, and what reads the engine's own structures where they can be read."""

    def __init__(self, library: Library, model: Any) -> None:
        self._library = library
        self._model = model
        self._note = ""
        try:
            self._breakdown = Breakdown(library)
            self._graphs = Graphs(library, self._breakdown)
            self._graphs.prepare_weights(pointer(model))
        except Unreadable as error:
            self._note = str(error)

    def context(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Reserve one context; ``settings`` are fields of ``llama_context_params``."""
        library = self._library
        params = library.api.llama_context_default_params()
        for name, value in settings.items():
            setattr(params, name, value)
        params.no_perf = True
        library.log.begin()
        context = library.api.llama_init_from_model(self._model, params)
        if not context:
            return {"type": "refused", "why": library.log.reasons}
        try:
            return {"type": "reserved", **self._read(pointer(context), settings)}
        finally:
            library.api.llama_free(context)

    def _read(self, context: int, settings: dict[str, Any]) -> dict[str, Any]:
        printed = figures(self._library.log.text)
        counts = {field: self._library.call(name, ctypes.c_uint32, context) for field, name in _COUNTS.items()}
        output, output_note = self._output(counts["slots"], bool(settings.get("embeddings")), printed["output"])
        found = {**counts, "output_bytes": output, "warnings": self._library.log.complaints}
        note = self._note
        if not note:
            try:
                return {**found, **self._exactly(context, counts, settings, printed), "note": output_note}
            except Unreadable as error:
                note = str(error)
        return {**found, **self._roughly(printed), "note": note}

    def _exactly(
        self, context: int, counts: dict[str, int], settings: dict[str, Any], printed: dict[str, Any]
    ) -> dict[str, Any]:
        buffers = self._breakdown.buffers(context)
        caches = self._breakdown.caches(context)
        check(buffers, caches, printed)
        tokens, slots = min(counts["context_tokens"], counts["ubatch_tokens"]), counts["slots"]
        rows = min(tokens, printed["n_outputs_max"] or counts["batch_tokens"])
        prefill, attends = self._graphs.work(
            context, tokens=tokens, sequences=slots, outputs=rows, threads=settings["n_threads_batch"]
        )
        decode, _ = self._graphs.work(
            context, tokens=slots, sequences=slots, outputs=slots, threads=settings["n_threads"]
        )
        return {
            "precision": "byte",
            "buffers": buffers,
            "caches": caches,
            "work": {"prefill_bytes": prefill, "decode_bytes": decode},
            "flash_attention": attends,
        }

    def _roughly(self, printed: dict[str, Any]) -> dict[str, Any]:
        weights = {"name": "weights", "model_bytes": self._library.api.llama_model_size(self._model)}
        buffers = [weights, *({"name": name, "compute_bytes": size} for name, size in printed["compute"].items())]
        nothing = {"host": None, "model_bytes": 0, "context_bytes": 0, "compute_bytes": 0}
        return {
            "precision": "log",
            "buffers": [{**nothing, **buffer} for buffer in buffers],
            "caches": [{"kind": cache["kind"], "role": "", "bytes": cache["bytes"]} for cache in printed["caches"]],
            "work": None,
            "flash_attention": None,
        }

    def _output(self, slots: int, embeddings: bool, printed: int | None) -> tuple[int | None, str]:
        """The output buffer, ``output_reserve`` of src/llama-context.cpp: rows of logits, and of embeddings if asked.

        The engine tells it only rounded; the formula counts where it rounds to the same.
        """
        if printed is None:
            return None, "the engine did not say its output buffer"
        api = self._library.api
        logits = api.llama_vocab_n_tokens(api.llama_model_get_vocab(self._model))
        width = self._library.call("llama_model_n_embd_out", ctypes.c_int32, pointer(self._model)) or 0
        # encoder-decoders keep embeddings unasked
        for numbers in (logits + width * embeddings, logits + width):
            size = _F32_BYTES * numbers * slots
            if agree(size, printed):
                return size, ""
        return printed, "the output buffer is rounded to 0.01 MiB"


def check(buffers: list[dict[str, Any]], caches: list[dict[str, Any]], printed: dict[str, Any]) -> None:
    """Compare exact figures with the printed ones, which they must round to.

    Raises:
        Unreadable: they do not, so another build was read as this one.
    """
    for buffer in buffers:
        size, name = buffer["compute_bytes"], buffer["name"]
        if size > 1 and not agree(size, printed["compute"].get(name, 0)):
            raise Unreadable(f"compute buffer {name} of {size} bytes, but the log differs")
    if sum(cache["bytes"] for cache in caches) != sum(buffer["context_bytes"] for buffer in buffers):
        raise Unreadable("the caches do not add up to the breakdown")
    lines = printed["caches"]
    size = sum(cache["bytes"] for cache in caches if cache["role"] != "rest")
    if lines and not agree(size, sum(line["bytes"] for line in lines), len(lines)):
        raise Unreadable(f"caches of {size} bytes, but the log differs")
