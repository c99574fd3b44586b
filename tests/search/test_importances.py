"""Importances that others gathered: taken where they are of this model, refused by what is wrong where they are not."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memfit.engine._llama_cpp._child.bench_coupling import Outputs
from memfit.engine._llama_cpp._child.bench_known import Known, read_known, write_known
from memfit.engine._llama_cpp._child.bench_moments import Moments
from memfit.errors import ModelError
from memfit.model.gguf.writer import write_header
from memfit.model.shape import Tensor
from memfit.search.importances import take

Q = Tensor("blk.0.attn_q.weight", (64, 16), "F16", 2048)
UP = Tensor("blk.0.ffn_up_exps.weight", (32, 16, 4), "F16", 4096)


def written(path: Path, tensors: dict[str, Any]) -> Path:
    """A file as llama-imatrix writes it: arrays in numpy's order of dimensions."""
    head = BytesIO()
    arrays = {name: np.asarray(content, np.float32) for name, content in tensors.items()}
    write_header(head, {"general.type": "imatrix"}, [(name, one.shape[::-1], "F32") for name, one in arrays.items()])
    path.write_bytes(head.getvalue() + b"".join(one.tobytes() + bytes(-one.nbytes % 32) for one in arrays.values()))
    return path


def taken(path: Path) -> Known:
    kept = path.with_suffix(".npz")
    take(path, kept, [Q, UP])
    with np.load(kept) as found:
        return read_known(found)


def test_means_of_squares_are_taken_and_other_weights_left_out(tmp_path: Path) -> None:
    sums = np.arange(64.0)
    more = {"blk.9.attn_q.weight.in_sum2": np.ones((1, 8)), "blk.9.attn_q.weight.counts": np.ones((1, 1))}
    path = written(tmp_path / "a.gguf", {f"{Q.name}.in_sum2": sums[None], f"{Q.name}.counts": [[4.0]], **more})
    found = taken(path)
    assert list(found.importance) == [Q.name]
    assert (found.importance[Q.name] == (sums / 4).astype(np.float32)).all()


def test_experts_without_a_token_are_counted(tmp_path: Path) -> None:
    sums = np.ones((4, 32)) * np.array([[2.0], [0.0], [6.0], [0.0]])
    path = written(tmp_path / "a.gguf", {f"{UP.name}.in_sum2": sums, f"{UP.name}.counts": [[1.0], [0.0], [1.0], [0.0]]})
    found = taken(path)
    assert found.idle == {UP.name: 2}
    assert found.importance[UP.name][:, 0].tolist() == [2, 4, 6, 4]


def test_one_count_may_stand_for_all_experts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", {f"{UP.name}.in_sum2": np.ones((4, 32)), f"{UP.name}.counts": [[2.0]]})
    assert taken(path).importance[UP.name].tolist() == np.full((4, 32), 0.5).tolist()


@pytest.mark.parametrize(
    ("sums", "counts", "said"),
    [
        (np.ones((1, 60)), [[1.0]], "has 60 importances, and is 64 × 16"),
        (np.ones((2, 64)), [[1.0], [1.0]], "has 128 importances"),
        (np.ones((1, 64)), [[1.0], [1.0]], "has 2 counts"),
        (-np.ones((1, 64)), [[1.0]], "below zero"),
        (np.full((1, 64), np.nan), [[1.0]], "not finite"),
        (np.ones((1, 64)), [[np.inf]], "not finite"),
        (np.ones((1, 64)), [[0.0]], "holds no importances"),
    ],
)
def test_importances_of_another_model_or_of_none_are_refused(tmp_path: Path, sums: Any, counts: Any, said: str) -> None:
    path = written(tmp_path / "a.gguf", {f"{Q.name}.in_sum2": sums, f"{Q.name}.counts": counts})
    with pytest.raises(ModelError, match=said) as refused:
        taken(path)
    assert refused.value.file == str(path)
    assert refused.value.hint


def test_a_file_without_counts_one_cut_off_and_moments_of_another_size(tmp_path: Path) -> None:
    whole = {f"{Q.name}.in_sum2": np.ones((1, 64)), f"{Q.name}.counts": [[1.0]]}
    with pytest.raises(ModelError, match="no floats"):
        taken(written(tmp_path / "a.gguf", {f"{Q.name}.in_sum2": np.ones((1, 64))}))
    with pytest.raises(ModelError, match="moments of 32 × 32 × 1"):
        taken(written(tmp_path / "b.gguf", {**whole, f"{Q.name}.moments": np.ones((1, 32, 32))}))
    path = written(tmp_path / "c.gguf", whole)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="bytes are missing"):
        taken(path)


def test_the_older_kind_of_file_is_refused_with_what_converts_it(tmp_path: Path) -> None:
    path = tmp_path / "old.dat"
    name = Q.name.encode()
    path.write_bytes(struct.pack("<ii", 1, len(name)) + name + struct.pack("<ii", 1, 64) + bytes(256))
    with pytest.raises(ModelError, match="no imatrix file in GGUF") as refused:
        taken(path)
    assert "--in-file" in (refused.value.hint or "")


def test_what_is_kept_of_activations_comes_back_with_the_experts_that_saw_none(tmp_path: Path) -> None:
    """A search that goes on says as the first did that experts were idle."""
    known = Known(
        {UP.name: np.ones((4, 32), np.float32)}, {(UP.name, 32): np.ones(32)}, Moments(), {UP.name: 3}, Outputs(), {}
    )
    with (tmp_path / "kept.npz").open("wb") as file:
        write_known(file, known)
    with np.load(tmp_path / "kept.npz") as arrays:
        found = read_known(arrays)
    assert found.idle == known.idle
    assert list(found.importance) == [UP.name]
    assert list(found.noise) == [(UP.name, 32)]


HEAD = Tensor("output.weight", (32, 64), "F16", 4096)
BALANCE = np.stack([np.full(32, 2.0), np.arange(32.0)])


def balanced(path: Path, balance: Any, *, known: bool = True) -> dict[str, Any]:
    """What is taken of a file with importances of the head, and how it is balanced."""
    given = {f"{HEAD.name}.in_sum2": np.ones((1, 32)), f"{HEAD.name}.counts": [[1.0]], f"{HEAD.name}.balance": balance}
    take(written(path, given), path.with_suffix(".npz"), [HEAD], balanced=known)
    with np.load(path.with_suffix(".npz")) as found:
        return read_known(found).balance


def test_a_balance_is_taken_for_networks_that_are_known_alone(tmp_path: Path) -> None:
    """Elsewhere the norm before the head may be another, and predictions would change."""
    assert (balanced(tmp_path / "a.gguf", BALANCE)[HEAD.name] == BALANCE).all()
    assert balanced(tmp_path / "b.gguf", BALANCE, known=False) == {}


@pytest.mark.parametrize(
    ("balance", "told"),
    [
        (BALANCE[:, :16], "numbers of a balance"),
        (BALANCE * [[0.0], [1.0]], "beyond all"),
        (BALANCE * [[-1.0], [1.0]], "beyond all"),
        (BALANCE * [[1e30], [1.0]], "beyond all"),
        (BALANCE * [[1.0], [1e30]], "beyond all"),
        (BALANCE * np.nan, "not finite"),
    ],
)
def test_a_balance_that_none_is_is_refused(tmp_path: Path, balance: Any, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        balanced(tmp_path / "a.gguf", balance)
