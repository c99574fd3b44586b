"""The engine's own quantizer, asked without any weights: what it would make of a model that is only a header.

Everything goes through the C interface of the libraries inside llama-cpp-python, whose Python module pulls numpy.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from memfit.precision import FORMATS, Format

Tensor = tuple[str, tuple[int, ...], str]
Value = int | float | str | Sequence[int]

_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_LINE = re.compile(r"\[ *\d+/ *\d+\] (\S+) +- \[[^]]*\], type = +(\S+), size = +\S+ MiB(?: -> +\S+ MiB \((\S+)\))?")
_NO_TYPE = 43  # GGML_TYPE_COUNT


class Refused(Exception):
    """The engine would not quantize; carries its log."""


class _Imatrix(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t))


class _Override(ctypes.Structure):
    _fields_ = (("pattern", ctypes.c_char_p), ("type", ctypes.c_int))


class Params(ctypes.Structure):
    """``llama_model_quantize_params``, llama.cpp include/llama.h (0c1e57098)."""

    _fields_ = (
        ("nthread", ctypes.c_int32),
        ("ftype", ctypes.c_int),
        ("output_tensor_type", ctypes.c_int),
        ("token_embedding_type", ctypes.c_int),
        ("allow_requantize", ctypes.c_bool),
        ("quantize_output_tensor", ctypes.c_bool),
        ("only_copy", ctypes.c_bool),
        ("pure", ctypes.c_bool),
        ("keep_split", ctypes.c_bool),
        ("dry_run", ctypes.c_bool),
        ("imatrix", ctypes.POINTER(_Imatrix)),
        ("kv_overrides", ctypes.c_void_p),
        ("tt_overrides", ctypes.POINTER(_Override)),
        ("prune_layers", ctypes.c_void_p),
        ("max_buf_size", ctypes.c_size_t),
    )


class Description(ctypes.Structure):
    """``llama_quant_model_desc``, llama.cpp src/llama-ext.h (0c1e57098)."""

    _fields_ = (
        ("architecture", ctypes.c_char_p),
        *(
            (name, ctypes.c_uint32)
            for name in ("embd", "ff", "layer", "head", "head_kv", "expert", "embd_head_k", "embd_head_v")
        ),
    )


@cache
def library(name: str) -> Any:
    """One of the engine's libraries; skips the test where the engine is not installed."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        pytest.skip("llama-cpp-python is not installed")
    path = Path(spec.origin).parent / "lib" / f"lib{name}.so"
    if not path.exists():
        pytest.skip(f"{path.name} is not part of this llama-cpp-python")
    loaded = ctypes.CDLL(str(path))
    for function, result, arguments in _SIGNATURES.get(name, ()):
        if not hasattr(loaded, function):
            pytest.skip(f"{path.name} does not export {function}")
        getattr(loaded, function).restype = result
        getattr(loaded, function).argtypes = arguments
    return loaded


_P, _S = ctypes.c_void_p, ctypes.c_char_p
_SIGNATURES: dict[str, tuple[tuple[str, Any, list[Any]], ...]] = {
    "ggml-base": (
        ("ggml_type_name", _S, [ctypes.c_int]),
        ("ggml_blck_size", ctypes.c_int64, [ctypes.c_int]),
        ("ggml_type_size", ctypes.c_size_t, [ctypes.c_int]),
        ("ggml_is_quantized", ctypes.c_bool, [ctypes.c_int]),
        ("ggml_row_size", ctypes.c_size_t, [ctypes.c_int, ctypes.c_int64]),
        ("ggml_tensor_overhead", ctypes.c_size_t, []),
        ("ggml_free", None, [_P]),
        ("ggml_new_tensor", _P, [_P, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int64)]),
        ("ggml_set_name", _P, [_P, _S]),
        ("gguf_init_empty", _P, []),
        ("gguf_free", None, [_P]),
        ("gguf_set_val_u32", None, [_P, _S, ctypes.c_uint32]),
        ("gguf_set_val_f32", None, [_P, _S, ctypes.c_float]),
        ("gguf_set_val_str", None, [_P, _S, _S]),
        ("gguf_set_arr_data", None, [_P, _S, ctypes.c_int, _P, ctypes.c_size_t]),
        ("gguf_add_tensor", None, [_P, _P]),
        ("gguf_get_n_tensors", ctypes.c_int64, [_P]),
        ("gguf_get_tensor_offset", ctypes.c_size_t, [_P, ctypes.c_int64]),
        ("gguf_get_tensor_size", ctypes.c_size_t, [_P, ctypes.c_int64]),
        ("gguf_get_meta_size", ctypes.c_size_t, [_P]),
        ("gguf_write_to_file", ctypes.c_bool, [_P, _S, ctypes.c_bool]),
    ),
    "llama": (
        ("llama_ftype_name", _S, [ctypes.c_int]),
        ("llama_log_set", None, [_P, _P]),
        ("llama_log_get", None, [ctypes.POINTER(_P), ctypes.POINTER(_P)]),
        ("llama_model_quantize_default_params", Params, []),
        ("llama_model_quantize", ctypes.c_uint32, [_S, _S, ctypes.POINTER(Params)]),
        ("llama_model_free", None, [_P]),
        # C++ names as the Itanium ABI spells them, llama.cpp src/llama-ext.h
        ("_Z28llama_ftype_get_default_type11llama_ftype", ctypes.c_int, [ctypes.c_int]),
        ("_Z31llama_quant_model_from_metadataPK22llama_quant_model_desc", _P, [ctypes.POINTER(Description)]),
        ("_Z16llama_quant_initPK11llama_modelPK27llama_model_quantize_params", _P, [_P, ctypes.POINTER(Params)]),
        ("_Z16llama_quant_freeP19quantize_state_impl", None, [_P]),
        (
            "_Z38llama_quant_tensor_allows_quantizationPK19quantize_state_implPK11ggml_tensor",
            ctypes.c_bool,
            [_P, _P],
        ),
        (
            "_Z25llama_quant_compute_typesP19quantize_state_impl11llama_ftypePP11ggml_tensorP9ggml_typem",
            None,
            [_P, ctypes.c_int, ctypes.POINTER(_P), ctypes.POINTER(ctypes.c_int), ctypes.c_size_t],
        ),
    ),
}


class _InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


@contextmanager
def ggml_tensors(tensors: Sequence[Tensor]) -> Iterator[list[int]]:
    """Tensors of the engine without data, as pointers."""
    base = library("ggml-base")
    base.ggml_init.restype, base.ggml_init.argtypes = _P, [_InitParams]
    context = base.ggml_init(_InitParams(base.ggml_tensor_overhead() * (len(tensors) + 1), None, True))
    try:
        pointers = []
        for name, dims, format in tensors:
            sizes = (ctypes.c_int64 * len(dims))(*dims)
            pointer = base.ggml_new_tensor(context, FORMATS.get(format).number, len(dims), sizes)
            base.ggml_set_name(pointer, name.encode())
            pointers.append(pointer)
        yield pointers
    finally:
        base.ggml_free(context)


def write_stub(path: Path, metadata: Mapping[str, Value], tensors: Sequence[Tensor]) -> None:
    """A GGUF file with that header; its tensor data is a hole, so it takes a few kilobytes of disk."""
    base = library("ggml-base")
    gguf = base.gguf_init_empty()
    try:
        for key, value in metadata.items():
            _set_value(base, gguf, key.encode(), value)
        with ggml_tensors(tensors) as pointers:
            for pointer in pointers:
                base.gguf_add_tensor(gguf, pointer)
            last = base.gguf_get_n_tensors(gguf) - 1
            data_bytes = base.gguf_get_tensor_offset(gguf, last) + base.gguf_get_tensor_size(gguf, last)
            assert base.gguf_write_to_file(gguf, os.fsencode(path), True)
        os.truncate(path, base.gguf_get_meta_size(gguf) + -(-data_bytes // 32) * 32)
    finally:
        base.gguf_free(gguf)


def _set_value(base: Any, gguf: int, key: bytes, value: Value) -> None:
    if isinstance(value, str):
        base.gguf_set_val_str(gguf, key, value.encode())
    elif isinstance(value, float):
        base.gguf_set_val_f32(gguf, key, value)
    elif isinstance(value, int):
        base.gguf_set_val_u32(gguf, key, value)
    else:
        numbers = (ctypes.c_uint32 * len(value))(*value)
        base.gguf_set_arr_data(gguf, key, 4, numbers, len(value))  # GGUF_TYPE_UINT32


def dry_run(
    path: Path,
    file_type: int,
    *,
    imatrix: bool = False,
    pure: bool = False,
    keep_output: bool = False,
    output_format: Format | None = None,
    embedding_format: Format | None = None,
    overrides: Sequence[tuple[str, Format]] = (),
) -> tuple[dict[str, str], str]:
    """The type of every tensor as the engine prints it when it quantizes that file, and its whole log.

    Raises:
        Refused: the engine would not.
    """
    llama = library("llama")
    params = llama.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.dry_run, params.allow_requantize = 1, file_type, True, True
    params.pure, params.quantize_output_tensor = pure, not keep_output
    params.output_tensor_type = _NO_TYPE if output_format is None else output_format.number
    params.token_embedding_type = _NO_TYPE if embedding_format is None else embedding_format.number
    weight = (ctypes.c_float * 1)(1.0)
    entries = (_Imatrix * 2)(_Imatrix(b"some.weight", weight, 1), _Imatrix(None, None, 0))
    params.imatrix = entries if imatrix else None
    patterns = [_Override(pattern.encode(), format.number) for pattern, format in overrides]
    named = (_Override * (len(patterns) + 1))(*patterns, _Override(None, _NO_TYPE))
    params.tt_overrides = named if patterns else None
    with captured_log(llama) as lines:
        failed = llama.llama_model_quantize(os.fsencode(path), os.fsencode(path.with_suffix(".out")), params)
    log = "".join(lines)
    if failed:
        raise Refused(log)
    return {name: after or before for name, before, after in _LINE.findall(log)}, log


@contextmanager
def captured_log(llama: Any) -> Iterator[list[str]]:
    lines: list[str] = []
    callback = _LOG(lambda level, text, data: lines.append(text.decode()))
    former, former_data = _P(), _P()
    llama.llama_log_get(ctypes.byref(former), ctypes.byref(former_data))
    llama.llama_log_set(ctypes.cast(callback, _P), None)
    try:
        yield lines
    finally:
        llama.llama_log_set(former, former_data)


@contextmanager
def _quantizer(description: Description) -> Iterator[int]:
    llama = library("llama")
    model = llama._Z31llama_quant_model_from_metadataPK22llama_quant_model_desc(description)
    params = llama.llama_model_quantize_default_params()  # the quantizer keeps a pointer to it
    state = llama._Z16llama_quant_initPK11llama_modelPK27llama_model_quantize_params(model, params)
    try:
        with captured_log(llama):
            yield state
    finally:
        llama._Z16llama_quant_freeP19quantize_state_impl(state)
        llama.llama_model_free(model)


def quantizable(architecture: str, tensors: Sequence[Tensor]) -> set[str]:
    """The tensors whose format the engine's quantizer may change."""
    allows = library("llama")._Z38llama_quant_tensor_allows_quantizationPK19quantize_state_implPK11ggml_tensor
    with (
        _quantizer(Description(architecture.encode(), 4096, 14336, 1, 1, 1)) as state,
        ggml_tensors(tensors) as pointers,
    ):
        return {tensor[0] for tensor, pointer in zip(tensors, pointers, strict=True) if allows(state, pointer)}


def computed_types(
    architecture: str, layers: int, heads: int, kv_heads: int, experts: int, tensors: Sequence[Tensor], file_type: int
) -> dict[str, int]:
    """The types that the engine computes for tensors in their order, for a model described by numbers alone."""
    compute = library(
        "llama"
    )._Z25llama_quant_compute_typesP19quantize_state_impl11llama_ftypePP11ggml_tensorP9ggml_typem
    names = quantizable(architecture, tensors)
    chosen = [tensor for tensor in tensors if tensor[0] in names]
    description = Description(architecture.encode(), 4096, 14336, layers, heads, kv_heads, experts, 128, 128)
    with _quantizer(description) as state, ggml_tensors(chosen) as pointers:
        types = (ctypes.c_int * len(chosen))()
        compute(state, file_type, (_P * len(chosen))(*pointers), types, len(chosen))
        return {tensor[0]: number for tensor, number in zip(chosen, types, strict=True)}
