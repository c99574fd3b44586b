"""Between two questions to ggml weights are where its own codes would put them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="recovering needs PyTorch: pip install 'memfit[recover]'")
pytest.importorskip("llama_cpp", reason="ggml's formats: pip install 'memfit[llama]'")
import numpy as np
import torch

from memfit.engine.ggml import codec
from memfit.errors import UsageError
from memfit.precision.formats import FORMATS
from memfit.search.recover.quantizer import CODES, Quantizer
from memfit.search.recover.student import Student
from memfit.search.sensitivity import FORMATS_SEARCHED

pytestmark = pytest.mark.engine


def some(rows: int = 8, columns: int = 512) -> tuple[torch.Tensor, Any]:
    random = np.random.default_rng(1)
    return torch.from_numpy(random.normal(0, 0.05, (rows, columns)).astype(np.float32)), random.uniform(
        0.1, 2, columns
    ).astype(np.float32)


@pytest.mark.parametrize("name", FORMATS_SEARCHED)
def test_refreshed_weights_are_those_of_a_file(name: str) -> None:
    weight, importance = some()
    ggml, number = codec(2), FORMATS.get(name).number
    found = Quantizer(ggml, "a", name, importance).refresh(weight).numpy()
    data = ggml.encode(number, weight.numpy(), importance)
    np.testing.assert_array_equal(found, ggml.decode(number, data, 512))


@pytest.mark.parametrize("name", CODES)
def test_codes_within_known_scales_are_ggmls(name: str) -> None:
    weight, importance = some()
    quantizer = Quantizer(codec(1), "a", name, importance)
    refreshed = quantizer.refresh(weight)
    near = quantizer.near(weight)
    assert near is not None
    # some quantizers break ties and round scales in their own way: those few codes are one step off
    assert (near != refreshed).float().mean() < 0.01
    assert (near - weight).square().sum() <= 1.0001 * (refreshed - weight).square().sum()
    moved = quantizer.near(weight + 0.2)
    assert moved is not None
    assert not torch.equal(moved, near)
    decoded = quantizer.refresh(near)  # the values are ones that the format has
    assert (decoded - near).square().mean() < 0.2 * (refreshed - weight).square().mean()


@pytest.mark.parametrize(("name", "kind"), [("F16", torch.float16), ("BF16", torch.bfloat16)])
def test_halves_round_as_ggml_does(name: str, kind: torch.dtype) -> None:
    weight, _ = some()
    quantizer = Quantizer(codec(1), "a", name, None)
    near = quantizer.near(weight)
    assert near is not None
    assert torch.equal(quantizer.refresh(weight), near)


def test_codebooks_are_only_asked_for() -> None:
    weight, importance = some()
    quantizer = Quantizer(codec(1), "a", "IQ2_XS", importance)
    quantizer.refresh(weight)
    assert quantizer.near(weight) is None


def test_nothing_that_is_not_finite_reaches_ggml() -> None:
    weight, _ = some()
    weight[3, 5] = torch.nan
    with pytest.raises(UsageError, match=r"blk\.0"):
        Quantizer(codec(1), "blk.0.attn_q.weight", "Q4_K", None).refresh(weight)


@pytest.mark.parametrize("name", FORMATS_SEARCHED)
def test_training_starts_from_how_a_file_was_rounded(name: str) -> None:
    weight, importance = some()
    quantizer = Quantizer(codec(2), "a", name, importance)
    lost = quantizer.refresh(weight) - weight
    rounded = quantizer.refresh(weight + 0.5 * lost.flip(1))  # otherwise than ggml alone would
    found = quantizer.towards(weight, rounded)
    off = (rounded - weight).norm()
    again = quantizer.refresh(found) - rounded
    assert again.norm() < 0.36 * off or torch.equal(found, rounded)
    assert (found - weight).norm() <= off
    if name not in ("F16", "Q8_0"):  # nearly exact: there is nothing to keep
        assert again.norm() < 0.7 * (quantizer.refresh(weight) - rounded).norm()


@pytest.mark.parametrize("name", ["Q2_K", "IQ4_XS"])
def test_steps_are_a_share_of_what_a_format_does_wherever_training_starts(name: str) -> None:
    """Numbers that were moved towards how they are rounded are moved less by ggml."""
    weight, importance = some()
    quantizer = Quantizer(codec(2), "a", name, importance)
    student = Student({"a": weight}, {"a": quantizer})
    before = student.errors()
    student.begin({"a": quantizer.refresh(weight)})
    assert student.errors() == before
    assert not torch.equal(student.weights["a"], weight)
