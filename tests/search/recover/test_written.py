"""A recovered model as a file: as long as without, and the engine sees the gain that training told of."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="recovering needs PyTorch: pip install 'memfit[recover]'")
pytest.importorskip("llama_cpp", reason="the engine: pip install 'memfit[llama]'")

import numpy as np
import torch

from memfit.engine.ggml import codec
from memfit.engine.predictions import Place
from memfit.model.gguf import read_header
from memfit.search.base import Base
from memfit.search.recover import Recovery, recover, run
from memfit.search.recover.quantizer import Quantizer, quantizers
from memfit.search.session import Session
from memfit.search.setting import Setting
from memfit.search.text import read_text
from memfit.search.write import write

pytestmark = pytest.mark.engine
TINY = Path(__file__).parents[3] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"


def test_the_engine_sees_the_gain_in_as_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Quantizer] = {}
    monkeypatch.setattr(run, "quantizers", lambda *given: known.update(quantizers(*given)) or known)
    base = Base(str(TINY))
    source = tmp_path / "text.txt"
    parts = sorted((Path(__file__).parents[3] / "src" / "memfit" / "search").glob("[b-m]*.py"))
    source.write_text("\n".join(part.read_text(encoding="utf-8") for part in parts), encoding="utf-8")
    formats = {one.name: "Q3_K" if "ffn" in one.name else "Q2_K" for one in base.changeable}
    setting = Setting(window_tokens=128, threads=1)
    with Session(base, read_text(str(source)), None, setting, work=tmp_path / "work", said=lambda *_: None) as session:
        assert not set(session.split.seen) & set(session.split.unseen)
        found = recover(session, formats, Recovery(minutes=None, tokens=16 * 4 * 128, windows=4, device="cpu"))
        assert found.record.loss_after < 0.97 * found.record.loss_before
        plain, better = tmp_path / "plain.gguf", tmp_path / "better.gguf"
        write(session.bench, base, formats, plain)
        write(session.bench, base, formats, better, replaced=found.replaced)
        assert np.load(session.notes.place("importance.npz"))["output.weight.balance"].shape == (2, 256)
        before = session.measure_file(str(plain), unseen=False, full=False).known.kl_mean
        after = session.measure_file(str(better), unseen=False, full=False).known.kl_mean
    assert before is not None
    assert after is not None
    assert after < 0.98 * before
    assert better.stat().st_size == plain.stat().st_size == base.file_bytes(formats)
    assert [one[:5] for one in _tensors(better)] == [one[:5] for one in _tensors(plain)]
    stored = run.read_weights(Base(str(better), forced=True), codec(1), torch.device("cpu"))
    for name, quantizer in known.items():  # to the bit what training computed with
        assert (quantizer.refresh(_read(found.replaced[name], tuple(stored[name].shape))) == stored[name]).all(), name


def _read(place: Place, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(
        np.fromfile(place.path, np.float32, int(np.prod(shape)), offset=place.offset).reshape(shape)
    )


def _tensors(path: Path) -> list[tuple[object, ...]]:
    return [(one.name, one.dims, one.format, one.bytes, one.offset) for one in read_header(path).tensors]
