"""The backward pass that memfit computes itself, held against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_network import Block, Network, rotation

TOKENS, WIDTH, CHANNELS, INNER = 12, 32, 8, 48
SHAPES = {"q": (32, WIDTH), "k": (16, WIDTH), "v": (16, WIDTH), "output": (WIDTH, 32)}


def network(*, neox: bool) -> Network:
    return Network(layers=1, heads=4, kv_heads=2, rope_channels=6, rope_base=100.0, neox=neox, epsilon=1e-5)


def weights(*, normed: bool) -> dict[str, Any]:
    """Of a layer, in double precision, with biases; ``normed``: heads have norms of their own."""
    random = np.random.default_rng(4)
    sizes = {f"attn_{name}": shape for name, shape in SHAPES.items()}
    sizes |= {"ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    found = {f"{name}.weight": random.standard_normal(shape) / 4 for name, shape in sizes.items()}
    found |= {f"{name}.bias": random.standard_normal(shape[0]) / 4 for name, shape in sizes.items()}
    norms = {"attn_norm": WIDTH, "ffn_norm": WIDTH}
    if normed:
        norms |= {"attn_q_norm": CHANNELS, "attn_k_norm": CHANNELS}
    return found | {f"{name}.weight": 1 + random.standard_normal(size) / 4 for name, size in norms.items()}


@pytest.mark.parametrize(("neox", "normed"), [(False, False), (True, False), (True, True)])
def test_gradients_are_what_differences_are(neox: bool, normed: bool) -> None:
    net, own = network(neox=neox), weights(normed=normed)
    random = np.random.default_rng(5)
    x, slope = random.standard_normal((2, TOKENS, WIDTH))
    turn = rotation(net, None, TOKENS).astype(np.float64)

    def told(given: Any, changed: dict[str, Any]) -> float:
        return float((Block(net, {**own, **changed}).forward(given, turn).out * slope).sum())

    at_x, seen = Block(net, own).backward(x, slope, turn)
    step = random.standard_normal(x.shape) * 1e-5
    # the scale of scores is a single's: what is off is of that order
    assert told(x + step, {}) - told(x - step, {}) == pytest.approx(2 * (at_x * step).sum(), rel=1e-4)
    slopes = {name: one for each in seen for name, one in each.slopes.items()}
    assert len(slopes) == 7
    for name, one in slopes.items():
        bias = own[f"{name}.bias"]
        step = random.standard_normal(bias.shape) * 1e-5
        high, low = (told(x, {f"{name}.bias": bias + sign * step}) for sign in (1, -1))
        assert high - low == pytest.approx(2 * (one.sum(axis=0) * step).sum(), rel=1e-3, abs=1e-9), name


def test_what_matrices_are_fed_is_what_they_multiply() -> None:
    net, own = network(neox=False), weights(normed=False)
    x = np.random.default_rng(6).standard_normal((TOKENS, WIDTH))
    turn = rotation(net, None, TOKENS)
    _, seen = Block(net, own).backward(x, np.ones_like(x), turn)
    fed = {name: one.rows for one in seen for name in one.slopes}
    attended = fed["attn_output"] @ own["attn_output.weight"].T + own["attn_output.bias"]
    added = fed["ffn_down"] @ own["ffn_down.weight"].T + own["ffn_down.bias"]
    assert np.allclose(Block(net, own).forward(x, turn).out, x + attended + added)
    assert fed["attn_q"] is fed["attn_v"]
