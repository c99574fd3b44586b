"""Moments of gradients: the same with any number of threads, and in memory that does not follow how much is shown."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_gradients import Gradients
from memfit.engine._llama_cpp._child.bench_moments import Moments
from memfit.engine._llama_cpp._child.bench_network import Network
from memfit.engine._llama_cpp._child.bench_weights import Weight

LAYERS, WIDTH, INNER, VOCABULARY, WINDOWS, TOKENS = 2, 64, 256, 2048, 48, 128
NET = Network(layers=LAYERS, heads=4, kv_heads=2, rope_channels=16, rope_base=1e4, neox=False, epsilon=1e-5)
SIZES = {
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (WIDTH // 2, WIDTH),
    "attn_v": (WIDTH // 2, WIDTH),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (INNER, WIDTH),
    "ffn_up": (INNER, WIDTH),
    "ffn_down": (WIDTH, INNER),
}


class StubCodec:
    """Reads float32."""

    @staticmethod
    def row_bytes(_kind: int, columns: int) -> int:
        return 4 * columns

    @staticmethod
    def decode(_kind: int, data: Any, columns: int) -> Any:
        return data.view(np.float32).reshape(-1, columns)

    @staticmethod
    def matrices(weight: Weight) -> Iterator[tuple[int, Any]]:
        count = weight.rows * weight.dims[0]
        rows = np.fromfile(weight.path, np.float32, count, offset=weight.offset)
        yield 0, rows.reshape(-1, weight.dims[0])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Weight]:
    """A small network in a file."""
    random = np.random.default_rng(0)
    arrays = {"token_embd.weight": random.standard_normal((VOCABULARY, WIDTH)), "output_norm.weight": np.ones(WIDTH)}
    for layer in range(LAYERS):
        arrays |= {f"blk.{layer}.{name}.weight": random.standard_normal(size) / 8 for name, size in SIZES.items()}
        arrays |= {f"blk.{layer}.{name}_norm.weight": np.ones(WIDTH) for name in ("attn", "ffn")}
    path = tmp_path_factory.mktemp("gradients") / "weights"
    found = {}
    with path.open("wb") as file:
        for name, array in arrays.items():
            found[name] = Weight(name, str(path), file.tell(), tuple(reversed(array.shape)), 0)
            file.write(array.astype(np.float32).tobytes())
    return found


def gathered(weights: dict[str, Weight], threads: int) -> tuple[dict[str, Any], Moments]:
    """Moments at what matrices give, and of what they are multiplied with."""
    inputs = Moments()
    for name, weight in weights.items():
        if "norm" not in name and "embd" not in name:
            inputs.owner[name] = name
            inputs.means[name] = np.eye(weight.dims[0], dtype=np.float32)[None].copy()
    windows = np.random.default_rng(1).integers(0, VOCABULARY, (WINDOWS, TOKENS)).tolist()
    found = Gradients(StubCodec(), weights, NET, threads, inputs)  # type: ignore[arg-type]
    assert list(found.gather(windows)) == list(range(2 * LAYERS))
    return found.outputs, inputs


def test_any_number_of_threads_gives_the_same(weights: dict[str, Weight]) -> None:
    alone, weighted = gathered(weights, 1)
    many, same = gathered(weights, 5)
    assert set(alone) == set(many) == {name for name in weights if "norm" not in name and "embd" not in name}
    assert all((alone[name] == many[name]).all() for name in alone)
    assert all((weighted.means[name] == same.means[name]).all() for name in alone)


def test_what_a_layer_and_the_head_show_is_not_held_at_once(weights: dict[str, Weight]) -> None:
    """What is: what each layer is given, and of one layer what its matrices are multiplied with."""
    gathered(weights, 1)
    tracemalloc.start()
    gathered(weights, 1)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = 4 * WINDOWS * TOKENS * ((LAYERS + 3) * WIDTH + 3 * WIDTH + INNER)
    assert most_bytes < 1.5 * held
