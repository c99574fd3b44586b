"""What gradients expect of formats is what formats do."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="recovering needs PyTorch: pip install 'memfit[recover]'")
pytest.importorskip("llama_cpp", reason="ggml's formats: pip install 'memfit[llama]'")
import numpy as np
import torch

from memfit.engine.ggml import codec
from memfit.search.base import Base
from memfit.search.recover.distil import Distiller
from memfit.search.recover.fisher import expected, information
from memfit.search.recover.network import read_network
from memfit.search.recover.quantizer import quantizers
from memfit.search.recover.run import read_weights
from small_networks import VOCABULARY, write_small

pytestmark = pytest.mark.engine


def test_what_is_expected_is_what_comes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = Base(str(write_small(tmp_path / "fisher.gguf", "llama")))
    network, ggml = read_network(base.header), codec(1)
    weights = read_weights(base, ggml, torch.device("cpu"))
    windows = torch.from_numpy(np.random.default_rng(2).integers(2, VOCABULARY, (24, 48)))
    distiller = Distiller(network, weights, workers=1, threads=1, half=False)
    found = information(network, weights, windows)
    assert found.keys() == {one.name for one in base.changeable}
    pairs = []
    for name, format, nats in expected(found, weights, ggml, ["Q4_0", "Q8_0"], {}):
        if "attn" in name or format == "Q4_0":
            changed = quantizers(ggml, {name: format}, {})[name].refresh(weights[name])
            pairs.append((nats, distiller.divergence({**weights, name: changed}, windows)))
    guessed, true = np.array(pairs).T
    ratios = guessed / true
    assert 0.6 < np.median(ratios) < 1.6
    assert np.corrcoef(guessed.argsort().argsort(), true.argsort().argsort())[0, 1] > 0.9
