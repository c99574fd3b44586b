"""What a quantization would give, tensor by tensor: the engine's dry run."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from memfit.engine._llama_cpp._child.library import Library
from memfit.engine._llama_cpp._child.log import agree, to_bytes

# llama_model_quantize_impl, src/llama-quant.cpp (0c1e57098)
_TENSOR = re.compile(
    r"^\[\s*\d+/\s*\d+\] (\S+)\s+- \[([0-9, ]+)\], type =\s*(\S+), size = [^\n(]*(?:\((\S+)\))?$", re.MULTILINE
)
_TOTAL = re.compile(r"quant size\s*=\s*([0-9.]+) MiB")
_FALLBACKS = re.compile(r"(\d+) of \d+ tensor\(s\) required fallback")


def quantize(library: Library, job: dict[str, Any]) -> dict[str, Any]:
    """The format and bytes of every tensor for ``job["file_type"]``, in the engine's order (sorted by name)."""
    api = library.api
    params = api.llama_model_quantize_default_params()
    params.dry_run = True
    params.ftype = job["file_type"]
    params.pure = job["pure"]
    params.allow_requantize = True
    params.nthread = 1
    keep: list[Any] = []
    if job["imatrix"]:
        keep.append(_some_imatrix(params))
    if job["overrides"]:
        keep.append(_overrides(api, params, job["overrides"]))
    library.log.begin()
    status = api.llama_model_quantize(job["model"]["stub"].encode(), b"", ctypes.byref(params))
    if status != 0:
        return library.log.failure("plan the quantization")
    text = library.log.text
    tensors = _tensors(library, text)
    total = _TOTAL.search(text)
    size = sum(tensor[2] for tensor in tensors)
    if total is None or not agree(size, to_bytes(total[1])):
        return library.log.failure(f"account for the quantization: {size} bytes of tensors, but its log differs")
    fallbacks = _FALLBACKS.search(text)
    return {
        "tensors": tensors,
        "bytes": size,
        "needs_imatrix": "will require an imatrix" in text,
        "fallbacks": int(fallbacks[1]) if fallbacks else 0,
    }


def _tensors(library: Library, text: str) -> list[tuple[str, str, int]]:
    row_bytes = library.function("ggml_row_size", ctypes.c_size_t, ctypes.c_int, ctypes.c_int64)
    assert row_bytes is not None
    numbers = {library.text("ggml_type_name", number): number for number in range(library.api.GGML_TYPE_COUNT)}
    tensors = []
    for name, shape, before, after in _TENSOR.findall(text):
        dims = [int(size) for size in shape.split(",")]
        kind = after or before
        rows = 1
        for size in dims[1:]:
            rows *= size
        tensors.append((name, kind, row_bytes(numbers[kind], dims[0]) * rows))
    return tensors


class _ImatrixEntry(ctypes.Structure):
    """``llama_model_imatrix_data``, include/llama.h."""

    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t))


def _some_imatrix(params: Any) -> Any:
    """An importance matrix of one unused entry: a dry run only asks whether there is one."""
    value = (ctypes.c_float * 1)(1.0)
    entries = (_ImatrixEntry * 2)(_ImatrixEntry(b"none", value, 1), _ImatrixEntry())
    params.imatrix = ctypes.cast(entries, type(params.imatrix))
    return entries, value


def _overrides(api: Any, params: Any, overrides: list[tuple[str, int]]) -> Any:
    """``--tensor-type``: a pattern and the ggml type of the tensors it finds."""
    given = [api.llama_model_tensor_override(pattern.encode(), number) for pattern, number in overrides]
    entries = (api.llama_model_tensor_override * (len(given) + 1))(*given)  # the last one, without pattern, ends them
    params.tt_overrides = ctypes.cast(entries, type(params.tt_overrides))
    return entries
