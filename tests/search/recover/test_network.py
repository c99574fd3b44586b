"""The network in PyTorch predicts as llama.cpp does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="recovering needs PyTorch: pip install 'memfit[recover]'")
pytest.importorskip("llama_cpp", reason="the engine to compare with: pip install 'memfit[llama]'")
import numpy as np
import torch

from memfit.engine._llama_cpp._child.bench_model import Model
from memfit.engine._llama_cpp._child.library import Library
from memfit.engine._llama_cpp.child import package_folder
from memfit.engine.ggml import codec
from memfit.errors import UsageError
from memfit.model.gguf import read_shards
from memfit.search.base import Base
from memfit.search.recover.network import read_network
from memfit.search.recover.run import read_weights
from small_networks import VOCABULARY, write_small

pytestmark = pytest.mark.engine
TINY = Path(__file__).parents[3] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
TOKENS = 96
SETTINGS = {
    "window_tokens": TOKENS,
    "threads": 1,
    "kv_type_k": 0,  # F32: the cache is not what is compared
    "kv_type_v": 0,
    "flash_attention": 0,
    "gpu_layers": 0,
}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(str(package_folder()), [])


def divergence(library: Library, path: Path) -> float:
    """Mean KL(llama.cpp || PyTorch) in nats over a window of random ids."""
    base = Base(str(path))
    network = read_network(base.header)
    ids = [1, *np.random.default_rng(3).integers(2, VOCABULARY, TOKENS - 1).tolist()]
    model = Model(library, str(path), SETTINGS)
    theirs = torch.from_numpy(model.logits(ids, 0, TOKENS).copy()).log_softmax(-1).double()
    model.close()
    with torch.no_grad():
        weights = read_weights(base, codec(1), torch.device("cpu"))
        ours = network.logits(weights, network.hidden(weights, torch.tensor([ids])))[0].log_softmax(-1).double()
    assert theirs.exp().max() > 0.02, "nothing to tell networks apart by"
    return float((theirs.exp() * (theirs - ours)).sum(-1).mean())


def test_the_shipped_model(library: Library) -> None:
    assert abs(divergence(library, TINY)) < 1e-5


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("llama", {}),
        ("llama", {"tied": True, "factors": True}),
        ("llama", {"attention__scale": 0.11}),  # which the engine reads for other architectures only
        ("qwen2", {}),
        ("qwen2", {"tied": True}),
        ("qwen3", {}),
        ("qwen3", {"rope__freq_base": 1e6}),
    ],
)
def test_architectures(library: Library, tmp_path: Path, architecture: str, options: dict[str, Any]) -> None:
    path = write_small(tmp_path / "small.gguf", architecture, **options)
    assert abs(divergence(library, path)) < 1e-5


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"expert_count": 4}, "mixture of experts"),
        ({"rope__scaling__type": "yarn"}, "yarn"),
        ({"attention__head_count_kv": [2, 1]}, "head_count_kv"),
        ({"block_count": 3}, r"blk\.2\.attn_norm"),
        ({"block_count": 1}, r"blk\.1\."),
    ],
)
def test_what_no_network_here_computes_is_refused_by_name(tmp_path: Path, extra: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        read_network(read_shards(write_small(tmp_path / "other.gguf", "llama", **extra)))


def test_other_architectures_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gemma3 cannot be recovered"):
        read_network(read_shards(write_small(tmp_path / "gemma.gguf", "gemma3")))
