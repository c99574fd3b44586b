"""The shipped model with a head that was balanced predicts as it did, and a head so stored is nearer to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_cpp", reason="the engine: pip install 'memfit[llama]'")
import numpy as np
from small_search import MODEL, text

from memfit.engine.ggml import Weight, codec
from memfit.precision.formats import FORMATS
from memfit.search import importances
from memfit.search.base import Base
from memfit.search.session import Session
from memfit.search.setting import Setting
from memfit.search.text import read_text
from memfit.search.write import write

pytestmark = pytest.mark.engine
HEAD, NORM, TABLE = "output.weight", "output_norm.weight", "token_embd.weight"


def read(path: str, name: str) -> Any:
    """A tensor of a file as floats."""
    shape = Base(path, forced=True).shape
    one = next(one for one in shape.tensors if one.name == name)
    start = shape.shards[0].data_offset + one.offset
    weight = Weight(one.name, path, start, one.dims, FORMATS.get(one.format).number)
    return np.concatenate([rows for _, rows in codec(1).matrices(weight)])


def test_another_head_predicts_the_same_and_loses_less(tmp_path: Path) -> None:
    base, passage = Base(str(MODEL)), read_text(text(tmp_path))
    setting = Setting(window_tokens=256, threads=1)
    with Session(base, passage, None, setting, work=tmp_path / "work", said=lambda *_: None) as session:

        def kl(name: str, formats: dict[str, str], *, plain: bool = False) -> float:
            path = tmp_path / f"{name}.gguf"
            write(session.bench, base, formats, path, plain=plain)
            return session.measure_file(str(path), unseen=True, full=False).known.kl_mean or 0.0

        assert kl("exact", {HEAD: "Q8_0"}) < 1e-3
        assert kl("head", {HEAD: "Q4_K"}) < 0.6 * kl("plain", {HEAD: "Q4_K"}, plain=True)
        assert kl("table", {TABLE: "Q3_K"}) < kl("plain_table", {TABLE: "Q3_K"}, plain=True)
        kept = session.notes.place("importance.npz")
        with np.load(kept) as found:
            factors, taken = found[f"{HEAD}.balance"]
            assert found[f"{TABLE}.moments"].shape == (1, 256, 256)
            assert TABLE not in found.files  # presets have no importances of it either
        importances.export(kept, tmp_path / "of.imatrix.gguf", text="a text", overwrite=False)
        importances.take_for(base, tmp_path / "of.imatrix.gguf", tmp_path / "again.npz")
        with np.load(tmp_path / "again.npz") as again:
            assert (again[f"{HEAD}.balance"] == [factors, taken]).all()
    assert np.allclose(read(str(tmp_path / "exact.gguf"), NORM), read(str(MODEL), NORM) / factors, rtol=1e-6)
    head = (read(str(MODEL), HEAD) - taken) * factors
    assert np.abs(read(str(tmp_path / "exact.gguf"), HEAD) - head).max() < np.abs(head).max() / 100
    for name in ("plain", "table"):  # a head as llama-quantize makes it, and one that stays, have the norm they had
        assert (read(str(tmp_path / f"{name}.gguf"), NORM) == read(str(MODEL), NORM)).all()
    assert (read(str(tmp_path / "table.gguf"), HEAD) == read(str(MODEL), HEAD)).all()
