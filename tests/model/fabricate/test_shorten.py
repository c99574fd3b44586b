"""Fewer layers: which keys change, and which tensors stay under which name."""

from __future__ import annotations

import pytest

from memfit.errors import UsageError
from memfit.model._fabricate.blueprint import draw
from memfit.model._fabricate.shorten import Shortening
from memfit.model.cards import CARDS
from memfit.model.metadata import Value
from memfit.model.shape import Tensor

VALUES: dict[str, Value] = {
    "general.name": "a model",
    "x.block_count": 9,
    "x.nextn_predict_layers": 1,
    "x.attention.head_count_kv": (1, 2, 3, 4, 5, 6, 7, 8, 9),
    "x.attention.shared_kv_layers": 4,
    "x.leading_dense_block_count": 3,
    "x.n_deepstack_layers": 3,
    "x.embedding_length": 9,
    "x.tags": ("a", "b"),
}


def test_arrays_are_cut_and_counts_follow() -> None:
    assert Shortening(VALUES, "x", 2).metadata() == {
        "x.block_count": 3,
        "x.attention.head_count_kv": [1, 2, 9],  # the last layer predicts further tokens
        "x.attention.shared_kv_layers": 1,
        "x.leading_dense_block_count": 2,
        "x.n_deepstack_layers": 1,
    }


def test_sections_of_a_rotation_are_no_layers() -> None:
    values: dict[str, Value] = {"x.block_count": 4, "x.rope.dimension_sections": (11, 11, 10, 0)}
    assert Shortening(values, "x", 2).metadata() == {"x.block_count": 2}


def test_layers_behind_the_trunk_move_up() -> None:
    names = ("token_embd.weight", "blk.0.a.weight", "blk.1.a.weight", "blk.2.a.weight", "blk.7.a.weight", "blk.8.b")
    tensors = [Tensor(name, (32,), "F32", 128) for name in names]
    kept = Shortening(VALUES, "x", 2).tensors(tensors)
    assert [tensor.name for tensor in kept] == ["token_embd.weight", "blk.0.a.weight", "blk.1.a.weight", "blk.2.b"]


def test_shares_of_layers_outside_of_them_are_cut_too() -> None:
    tensors = [
        Tensor("per_layer_token_embd.weight", (9 * 256, 64), "Q8_0", 9 * 256 // 32 * 34 * 64),
        Tensor("per_layer_model_proj.weight", (512, 9 * 256), "F16", 512 * 9 * 256 * 2),
    ]
    kept = Shortening(VALUES, "x", 2).tensors(tensors)
    assert [(tensor.dims, tensor.bytes) for tensor in kept] == [
        ((3 * 256, 64), 3 * 256 // 32 * 34 * 64),
        ((512, 3 * 256), 512 * 3 * 256 * 2),
    ]


@pytest.mark.parametrize("layers", [0, 9, 100])
def test_not_so_many_layers(layers: int) -> None:
    with pytest.raises(UsageError, match=f"--layers {layers}: the model has 8") as refusal:
        Shortening(VALUES, "x", layers)
    assert refusal.value.hint == "1 to 8"


def test_a_header_that_does_not_say() -> None:
    with pytest.raises(UsageError, match="does not say how many layers"):
        Shortening({"general.name": "a model"}, "x", 1)


def test_a_model_of_two_kinds_of_layers_needs_both() -> None:
    with pytest.raises(UsageError, match="cannot run Nemotron-3-Nano-4B without both") as refusal:
        draw("Nemotron-3-Nano-4B", format=None, vocabulary="none", layers=8, seed=0)
    assert refusal.value.hint == "the first 13 have one of each"
    assert draw("Nemotron-3-Nano-4B", format=None, vocabulary="none", layers=13, seed=0).layers == 13


def test_a_model_that_is_told_by_its_layers() -> None:
    with pytest.raises(UsageError, match="DeepSeek-V2-Lite cannot be cut to 3 layers"):
        draw("DeepSeek-V2-Lite", format=None, vocabulary="none", layers=3, seed=0)


@pytest.mark.parametrize("key", CARDS.keys())
def test_all_layers_are_the_whole_model(key: str) -> None:
    name = CARDS.get(key).name
    whole = draw(name, format="Q8_0", vocabulary="none", layers=None, seed=0)
    same = draw(name, format="Q8_0", vocabulary="none", layers=whole.layers, seed=0)
    assert (same.name, same.tensors) == (whole.name, whole.tensors)
