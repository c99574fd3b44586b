"""Views of what was made and measured on this machine."""

from __future__ import annotations

import msgspec
from made_samples import BASELINES, FABRICATED

from memfit.render import render


def shown(record: msgspec.Struct, width: int = 120) -> str:
    text = render(record, width=width)
    assert isinstance(text, str)
    return text


def test_a_fabrication_says_what_it_left_out_and_what_fell_back() -> None:
    text = shown(FABRICATED)
    assert "2 of 24" in text
    assert "Q4_K became Q5_0 in 10 of 24 tensors" in text
    assert "the weights are random" in text
    assert "memfit verify qwen2.5-0.5b.gguf" in text


def test_a_whole_fabrication_without_a_vocabulary() -> None:
    whole = msgspec.structs.replace(
        FABRICATED, layers=24, fallbacks=(), vocabulary=None, format=None, path="a b.gguf", duration_s=0.0
    )
    text = shown(whole)
    assert "layers      24\n" in text
    assert "tokens by number only" in text
    assert "as in the file it follows" in text
    assert "falls back" not in text
    assert "memfit verify 'a b.gguf'" in text


def test_baselines_stand_beside_the_document() -> None:
    text = shown(BASELINES)
    rows = {line.split("  ")[0]: line for line in text.splitlines()}
    assert rows["llama.cpp"].endswith("below")
    assert rows["PyTorch"].split()[2] == "1200.0"
    assert rows["PyTorch"].endswith("above")
    assert "500–1000 MB" in rows["PyTorch"]
    assert "failed" in rows["ONNX Runtime"]
    assert "ONNX Runtime: ImportError: libcudart.so.12" in text
    assert "2 of 4 measured" in text
    assert "10.0 MiB, not in the figures below" in text


def test_baselines_of_a_machine_that_has_none() -> None:
    none = msgspec.structs.replace(BASELINES, rows=BASELINES.rows[2:], python=None)
    text = shown(none)
    assert "0 of 2 measured" in text
    assert "What was brought up" not in text
    assert "bare interpreter" not in text.split("Runtimes\n")[0].replace("to a bare interpreter", "")
