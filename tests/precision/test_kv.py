from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from quantizer_oracle import Tensor, captured_log, library, write_stub
from stub_models import transformer

from memfit.precision import Format, kv_formats

# kv_cache_types, llama.cpp common/arg.cpp (0c1e57098)
_ACCEPTED = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "IQ4_NL", "Q5_0", "Q5_1"}


def test_the_command_lines_nine_formats_are_there_most_bits_first() -> None:
    formats = kv_formats()
    assert {format.name for format in formats} == _ACCEPTED
    bits = [format.bits for format in formats]
    assert bits == sorted(bits, reverse=True)


def test_heads_that_blocks_do_not_divide_leave_floats_only() -> None:
    assert {format.name for format in kv_formats(80)} == {"F32", "F16", "BF16"}
    assert kv_formats(128) == kv_formats()


@pytest.fixture(scope="module")
def bindings() -> Any:
    """llama-cpp-python's ctypes module under a name of our own, because its package imports numpy."""
    library("llama")
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.origin is not None
    package = types.ModuleType("llama_bindings")
    package.__path__ = [str(Path(spec.origin).parent)]
    sys.modules["llama_bindings"] = package
    return importlib.import_module("llama_bindings.llama_cpp")


@pytest.fixture(scope="module")
def engine_model(bindings: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    stub = transformer("kv", "llama", layers=2, width=256, inner=1024, heads=4, kv_heads=2, length=64, vocabulary=32000)
    path = tmp_path_factory.mktemp("kv") / "kv.gguf"
    norms: list[Tensor] = [(f"blk.{layer}.ffn_norm.weight", (256,), "F32") for layer in range(2)]
    write_stub(path, stub.metadata, [*stub.tensors, *norms])
    params = bindings.llama_model_default_params()
    params.no_alloc, params.load_mode = True, 0
    with captured_log(library("llama")) as log:
        model = bindings.llama_model_load_from_file(str(path).encode(), params)
    assert model, "".join(log)
    yield model
    bindings.llama_model_free(model)


@pytest.mark.engine
@pytest.mark.parametrize("format", kv_formats(), ids=lambda format: format.name)
def test_the_engine_makes_a_cache_of_each_and_of_that_size(format: Format, bindings: Any, engine_model: Any) -> None:
    params = bindings.llama_context_default_params()
    params.n_ctx, params.type_k, params.type_v, params.flash_attn_type = 65536, format.number, format.number, 1
    with captured_log(library("llama")) as log:
        context = bindings.llama_init_from_model(engine_model, params)
    text = "".join(log)
    assert context, text
    bindings.llama_free(context)
    kv = re.search(r"K \((\S+)\): +([\d.]+) MiB, V \((\S+)\): +([\d.]+) MiB", text)
    assert kv is not None, text
    expected = f"{2 * 65536 * format.row_bytes(128) / 1024 / 1024:.2f}"
    assert kv.groups() == (format.name.lower(), expected, format.name.lower(), expected)


@pytest.mark.engine
def test_the_engine_refuses_heads_that_blocks_do_not_divide(bindings: Any, engine_model: Any) -> None:
    params = bindings.llama_context_default_params()
    params.n_ctx, params.type_k, params.flash_attn_type = 256, 12, 1  # Q4_K: blocks of 256, heads of 64
    with captured_log(library("llama")) as log:
        context = bindings.llama_init_from_model(engine_model, params)
    assert not context
    assert "does not divide" in "".join(log)
