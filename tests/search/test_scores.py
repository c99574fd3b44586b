"""The arithmetic of divergences, against the textbook's in double precision."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

pytest.importorskip("numpy", reason="comes with llama-cpp-python")

import stub_scores

from memfit.engine._llama_cpp._child import scores

np: Any = importlib.import_module("numpy")


def textbook(base: Any, other: Any) -> Any:
    def probabilities(logits: Any) -> Any:
        shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
        return shifted / shifted.sum(1, keepdims=True)

    p, q = probabilities(base), probabilities(other)
    return (p * np.log(p / q)).sum(1)


@pytest.mark.parametrize("change", [0.001, 0.03, 0.3])
def test_exact_is_the_textbook_also_where_models_are_close(change: float) -> None:
    base, other, ids = stub_scores.pair(150, 700, change)
    of_base, found = scores.exact(base, other, ids)
    assert np.allclose(found.divergence, textbook(base, other), rtol=2e-3, atol=1e-9)
    assert np.allclose(of_base, scores.plain(base, ids).expected, atol=1e-5)
    assert (found.agree == (base.argmax(1) == other.argmax(1))).all()


def test_no_divergence_is_ever_negative() -> None:
    base, other, ids = stub_scores.pair(80, 300, 1e-4)
    assert np.min(scores.exact(base, other, ids)[1].divergence) >= 0
    kept = scores.sample(base, ids, 8, 4, np.random.default_rng(0))
    assert np.min(scores.beside(kept, 0, other, ids).divergence) >= 0
    assert np.max(scores.beside(kept, 0, base, ids).divergence) < 1e-6


def test_a_sample_of_few_ids_is_unbiased() -> None:
    base, other, ids = stub_scores.pair(4000, 400, 0.3)
    truth = textbook(base, other)
    kept = scores.sample(base, ids, 6, 4, np.random.default_rng(1))
    found = np.asarray(scores.beside(kept, 0, other, ids).divergence)
    spread = (found - truth).std() / np.sqrt(len(truth))
    assert abs(found.mean() - truth.mean()) < 4 * spread
    assert spread < 0.02 * truth.mean()


def test_a_sample_with_the_whole_vocabulary_is_exact() -> None:
    base, other, ids = stub_scores.pair(50, 40, 0.2)
    kept = scores.sample(base, ids, 64, 16, np.random.default_rng(0))
    assert kept.ids.shape == (50, 40)
    assert np.allclose(scores.beside(kept, 0, other, ids).divergence, textbook(base, other), rtol=1e-3)


def test_rows_are_found_where_they_begin() -> None:
    base, other, ids = stub_scores.pair(90, 200, 0.2)
    random = np.random.default_rng(0)
    parts = [scores.sample(base[:40], ids[:40], 16, 8, random), scores.sample(base[40:], ids[40:], 16, 8, random)]
    kept = scores.joined(parts)
    whole = np.asarray(scores.beside(kept, 0, other, ids).divergence)
    assert np.allclose(whole[40:], scores.beside(kept, 40, other[40:], ids[40:]).divergence)
