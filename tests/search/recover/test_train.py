"""Training on a small model: it gains, repeats, goes on after an interruption, and its file takes the same bytes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="recovering needs PyTorch: pip install 'memfit[recover]'")
pytest.importorskip("llama_cpp", reason="ggml's formats: pip install 'memfit[llama]'")
import numpy as np
import torch

from memfit.errors import MemfitError, UsageError
from memfit.search.base import Base
from memfit.search.recover import Recovery, refuse_short, room, run
from memfit.search.recover.distil import Distiller
from memfit.search.recover.network import read_network
from memfit.search.recover.records import Trained
from memfit.search.recover.run import distil
from memfit.search.recover.student import Student
from small_networks import VOCABULARY, write_small

pytestmark = pytest.mark.engine
WINDOW = 32
ASKED = Recovery(minutes=None, tokens=40 * 4 * WINDOW, rate=0.03, windows=4, device="cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base(str(write_small(tmp_path_factory.mktemp("base") / "base.gguf", "qwen3", tied=True)))


@pytest.fixture(scope="module")
def windows() -> list[list[int]]:
    random = np.random.default_rng(5)
    return [[1, *random.integers(2, VOCABULARY, WINDOW - 1).tolist()] for _ in range(40)]


def formats(base: Base) -> dict[str, str]:
    return {one.name: "Q4_0" if one.dims[0] % 256 else "Q2_K" for one in base.changeable}


def train(base: Base, windows: list[list[int]], folder: Path, asked: Recovery = ASKED, said: Any = None) -> Trained:
    heard = said or (lambda *_: None)
    return distil(base, formats(base), windows, {}, asked, folder=folder, threads=2, said=heard)


def test_it_gains_and_the_same_seed_gives_the_same(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    shares: list[int] = []
    one = train(base, windows, tmp_path / "one", said=lambda _what, done, _total: shares.append(done))
    assert one.record.loss_after < 0.9 * one.record.loss_before
    assert one.record.steps == 40
    assert one.record.tokens == ASKED.tokens
    assert shares == sorted(shares)
    assert shares[-1] == 1000
    other = train(base, windows, tmp_path / "other")
    assert other.record.weights_sha256 == one.record.weights_sha256
    again = train(base, windows, tmp_path / "one")  # it ended already
    assert again == one
    third = train(base, windows, tmp_path / "one", Recovery(**{**_asked(), "seed": 1}))
    assert third.record.weights_sha256 != one.record.weights_sha256


def _asked() -> dict[str, Any]:
    return {name: getattr(ASKED, name) for name in ASKED.__struct_fields__}


def test_an_interruption_keeps_what_was_learned(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done >= 500:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(base, windows, tmp_path, said=interrupt)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    seen: list[int] = []
    found = train(base, windows, tmp_path, said=lambda _what, done, _total: seen.append(done))
    assert seen[0] > 500
    assert found.record.steps == 40
    assert found.record.resumed == 1
    assert found.record.loss_after < 0.9 * found.record.loss_before


def test_without_gain_nothing_is_replaced(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    wild = Recovery(**{**_asked(), "rate": 30.0, "tokens": 4 * 4 * WINDOW})
    found = train(base, windows, tmp_path, wild)
    assert found.record.loss_after == found.record.loss_before
    assert found.replaced == {}


def test_a_state_that_was_cut_off_is_begun_anew(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    one = train(base, windows, tmp_path)
    (state,) = tmp_path.glob("recovered-*/state")
    state.write_bytes(state.read_bytes()[:1000])
    assert train(base, windows, tmp_path).record.weights_sha256 == one.record.weights_sha256


def test_a_state_that_is_none_is_begun_anew(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    one = train(base, windows, tmp_path)
    (state,) = tmp_path.glob("recovered-*/state")
    state.write_bytes(b"no archive at all")
    assert train(base, windows, tmp_path).record.weights_sha256 == one.record.weights_sha256


def test_an_end_before_the_last_check_is_checked_later(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done >= 975:  # the last of forty steps is about to be made
            os.kill(os.getpid(), signal.SIGINT)

    whole = train(base, windows, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(base, windows, tmp_path / "cut", said=interrupt)
    found = train(base, windows, tmp_path / "cut")
    assert found.record.weights_sha256 == whole.record.weights_sha256
    assert found.record.loss_after == whole.record.loss_after
    assert len(list((tmp_path / "cut").glob("recovered-*/best-*.f32"))) == 1


def test_what_goes_on_computes_with_what_was_trained(
    base: Base, windows: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done >= 500:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(base, windows, tmp_path, said=interrupt)
    stale = []
    near = Student.near

    def watched(self: Student, step: int, spread: Any = map) -> Any:
        known = dict(self._stored)
        found = self.exact()
        stale.append(sum(not torch.equal(known[name], found[name]) for name in known))
        return near(self, step, spread)

    monkeypatch.setattr(Student, "near", watched)
    train(base, windows, tmp_path)
    assert stale[0] == 0


def test_a_step_without_numbers_changes_nothing(
    base: Base, windows: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = Distiller.gradients

    def broken(self: Distiller, *given: Any) -> Any:
        loss, found = gradients(self, *given)
        return loss, {name: torch.full_like(gradient, torch.nan) for name, gradient in found.items()}

    monkeypatch.setattr(Distiller, "gradients", broken)
    found = train(base, windows, tmp_path)
    assert found.replaced == {}
    assert found.record.loss_after == found.record.loss_before


def test_too_little_text() -> None:
    with pytest.raises(UsageError, match="3 windows"):
        refuse_short(3)


def test_too_little_memory_is_told_before(
    base: Base, windows: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "available_bytes", lambda _device: 100 << 20)
    with pytest.raises(MemfitError, match=r"MiB, and this machine has 100\.0 MiB"):
        train(base, windows, tmp_path)


def test_workers_only_where_their_gradients_are_small(base: Base) -> None:
    assert room.workers_for(6_000_000, 2, 2) == 2
    assert room.workers_for(6_000_000, 12, 2) == 2
    assert room.workers_for(7_000_000_000, 8, 2) == 1
    network = read_network(base.header)
    assert room.needed_bytes(network, 10**9, 512, 1) > 24 * 10**9


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_gpu_that_is_not_there(base: Base, windows: list[list[int]], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no CUDA"):
        train(base, windows, tmp_path, Recovery(**{**_asked(), "device": "cuda"}))


def test_windows_are_cut_into_pieces_that_begin_alike() -> None:
    windows = torch.arange(2 * 600).reshape(2, 600)
    assert run._pieces(windows).shape == (6, 200)
    assert torch.equal(run._pieces(windows)[1], torch.arange(200, 400))
    windows[:, 0] = 7
    assert run._pieces(windows)[:, 0].tolist() == [7] * 6
    assert run._pieces(windows[:, :256]).shape == (2, 256)
