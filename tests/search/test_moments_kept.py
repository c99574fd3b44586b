"""Moments lie beside importances in the file that llama-quantize reads, and come back from it to the bit."""

from pathlib import Path
from typing import Any

import numpy as np

from memfit.model.shape import Tensor
from memfit.search import importances


def test_moments_are_read_back_as_they_were(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "blk.0.attn_q.weight": random.random((1, 64)).astype(np.float32),
        "blk.0.attn_q.weight.moments": random.random((1, 64, 64)).astype(np.float32),
        "blk.0.attn_k.weight": random.random((1, 64)).astype(np.float32),
        "blk.0.attn_k.weight.moments_of": np.array("blk.0.attn_q.weight"),
        "blk.0.attn_k.weight.gradients": random.random((2, 32, 32)).astype(np.float32),
        "blk.0.ffn_down_exps.weight": random.random((4, 32)).astype(np.float32),
    }
    kept, again = tmp_path / "kept.npz", tmp_path / "again.npz"
    np.savez(kept, **arrays)
    digest = importances.export(kept, tmp_path / "imatrix.gguf", text="a text", overwrite=False)
    weights = [
        Tensor("blk.0.attn_q.weight", (64, 64), "F16", 8192),
        Tensor("blk.0.attn_k.weight", (64, 64), "F16", 8192),
        Tensor("blk.0.ffn_down_exps.weight", (32, 64, 4), "F16", 16384),
    ]
    assert importances.take(tmp_path / "imatrix.gguf", again, weights) == digest
    with np.load(again) as found:
        assert sorted(found.files) == sorted(arrays)
        for name, content in arrays.items():
            assert found[name].shape == content.shape
            assert (found[name] == content).all()
