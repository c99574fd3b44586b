from pathlib import Path

import pytest

from memfit.engine._llama_cpp import built
from memfit.engine._llama_cpp.built import built_for
from memfit.errors import EngineMissing

OFFERED = ("avx2", "avx512", "avx512_vnni", "amx_int8")


def library(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes | None) -> None:
    (folder / "lib").mkdir()
    if content is not None:
        (folder / "lib" / "libggml-cpu.so").write_bytes(content)
    monkeypatch.setattr(built, "package_folder", lambda: folder)


def test_a_build_without_tiles_leaves_them_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library(monkeypatch, tmp_path, b"\x7fELF ggml_backend_cpu_buffer_type ggml_cpu_has_amx_int8")
    assert built_for(OFFERED) == ("avx2", "avx512", "avx512_vnni")


def test_a_build_with_tiles_uses_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library(monkeypatch, tmp_path, b"\x7fELF _Z28ggml_backend_amx_buffer_typev")
    assert built_for(OFFERED) == OFFERED


@pytest.mark.parametrize("content", [None, b""])
def test_without_a_library_to_look_into_the_processor_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    library(monkeypatch, tmp_path, content)
    assert built_for(OFFERED) == OFFERED


def test_without_an_engine_the_processor_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise EngineMissing("not installed", hint="install it")

    monkeypatch.setattr(built, "package_folder", missing)
    assert built_for(OFFERED) == OFFERED
    assert built_for(("neon", "dotprod")) == ("neon", "dotprod")
