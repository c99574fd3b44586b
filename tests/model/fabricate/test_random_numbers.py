"""Random blocks of every format: what the engine reads out of them, and that nothing can save on them."""

from __future__ import annotations

import importlib.util
import math
import statistics
import struct
import zlib

import pytest
from fabricated_run import run

from memfit.errors import UsageError
from memfit.model._fabricate.numbers import DEVIATION, filling_of, role_of
from memfit.model._fabricate.stream import CHUNK_BYTES, RandomTensors
from memfit.model.shape import Tensor
from memfit.precision import Format
from memfit.precision.formats import FORMATS

INTEGERS = ("I8", "I16", "I32", "I64")
ACTIVATIONS = ("Q8_1", "Q8_K")
WEIGHTS = [form for form in FORMATS if form.name not in (*INTEGERS, *ACTIVATIONS)]
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


def content(form: Format, name: str = "blk.0.ffn_up.weight", blocks: int = 400, seed: int = 0) -> bytes:
    dims = (form.block_elements * 4, blocks // 4)
    tensor = Tensor(name, dims, form.name, form.tensor_bytes(dims))
    return b"".join(RandomTensors(seed).chunks(tensor))


@pytest.mark.engine
@needs_engine
def test_blocks_of_every_format_decode_to_small_numbers_around_zero() -> None:
    forms = [form for form in WEIGHTS if form.name not in ("F32", "F64")]  # the engine has nothing to decode there
    # few blocks of the large formats, at least 400 scales of the small ones
    answers = run([{"number": form.number, "data": content(form).hex()} for form in forms])
    for form, answer in zip(forms, answers, strict=True):
        numbers = answer["numbers"]
        assert answer["name"].upper() == form.name
        assert len(numbers) == 400 * form.block_elements
        assert all(map(math.isfinite, numbers)), form.name
        assert DEVIATION / 2.5 < statistics.pstdev(numbers) < DEVIATION * 2.5, form.name
        assert abs(statistics.fmean(numbers)) < DEVIATION / 2, form.name
        assert max(map(abs, numbers)) < 1, form.name


@pytest.mark.parametrize(("name", "code"), [("F32", "f"), ("F16", "e"), ("F64", "d")])
def test_floats_of_every_role(name: str, code: str) -> None:
    form = FORMATS.get(name)

    def numbers(tensor: str) -> list[float]:
        data = content(form, tensor, 4000)
        return list(struct.unpack(f"<{len(data) // form.block_bytes}{code}", data))

    weights = numbers("blk.0.attn_q.weight")
    assert DEVIATION / 2.5 < statistics.pstdev(weights) < DEVIATION * 2.5
    assert max(map(abs, weights)) < 0.5
    assert len(set(weights)) > 2000
    assert all(0.8 < number < 1.3 for number in numbers("blk.0.attn_q_norm.weight"))
    assert all(-2 <= number <= -0.99 for number in numbers("blk.0.ssm_a"))


def test_bfloat_is_the_upper_half_of_a_float() -> None:
    data = content(FORMATS.get("BF16"), "output_norm.weight", 4000)
    numbers = [struct.unpack("<f", b"\0\0" + data[at : at + 2])[0] for at in range(0, len(data), 2)]
    assert all(0.8 < number < 1.3 for number in numbers)


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_point_into_everything(name: str) -> None:
    form = FORMATS.get(name)
    data = content(form, "blk.0.ffn_gate_tid2eid.weight")
    numbers = {int.from_bytes(data[at : at + form.block_bytes], "little") for at in range(0, 400, form.block_bytes)}
    assert numbers == {0, 1}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_formats_of_activations_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no format of a file's weights"):
        filling_of(FORMATS.get(name), "weight")


@pytest.mark.parametrize("form", WEIGHTS, ids=lambda form: form.name)
def test_nothing_can_be_saved_on_them(form: Format) -> None:
    data = content(form, blocks=(CHUNK_BYTES + 400_000) // form.block_bytes // 4 * 4)
    pages = [data[at : at + 4096] for at in range(0, len(data), 4096)]
    assert len(set(pages)) == len(pages)  # nothing to merge
    # sign and exponent of a float repeat themselves, and so they do in trained weights; a ternary byte has 81 values
    least = {"F16": 0.75, "BF16": 0.75, "F32": 0.85, "F64": 0.75, "TQ2_0": 0.75}.get(form.name, 0.9)
    ratio = len(zlib.compress(data, 6)) / len(data)
    assert ratio > least
    # whole pages do not come back shifted either, which a window as large as the file would find
    anchors = {data[at : at + 64] for at in range(0, CHUNK_BYTES - 64, 4096)}
    assert not any(anchor in data[CHUNK_BYTES:] for anchor in anchors)


def test_the_same_seed_gives_the_same_bytes_and_another_others() -> None:
    form = FORMATS.get("Q4_K")
    assert content(form) == content(form)
    assert content(form) != content(form, seed=1)
    assert content(form) != content(form, "blk.1.ffn_up.weight")


def test_a_tensor_is_as_long_as_it_says_whatever_the_chunks() -> None:
    form = FORMATS.get("Q6_K")
    dims = (256, 3 * CHUNK_BYTES // form.block_bytes + 7)
    tensor = Tensor("output.weight", dims, "Q6_K", form.tensor_bytes(dims))
    sizes = [len(chunk) for chunk in RandomTensors(0).chunks(tensor)]
    assert sum(sizes) == tensor.bytes
    assert all(size % form.block_bytes == 0 and size <= CHUNK_BYTES for size in sizes)


@pytest.mark.parametrize(
    ("name", "dims", "role"),
    [
        ("blk.0.attn_norm.weight", (4096,), "one"),
        ("blk.0.attn_norm.bias", (4096,), "weight"),
        ("blk.0.ssm_norm.weight", (1024, 8), "one"),
        ("blk.0.ffn_norm", (2048,), "one"),
        ("blk.0.ssm_a", (1, 48), "negative"),
        ("blk.0.ssm_a", (16, 5120), "negative"),
        ("blk.0.ssm_d", (1, 48), "one"),
        ("blk.0.ssm_alpha.weight", (2048, 32), "weight"),
        ("blk.0.ffn_gate_inp.weight", (2048, 64), "weight"),
        ("blk.0.ffn_gate_inp_shexp.weight", (2048,), "weight"),
        ("blk.0.ffn_gate_inp.scale", (2816,), "one"),
        ("blk.0.layer_output_scale.weight", (1,), "one"),
        ("rope_freqs.weight", (64,), "one"),
        ("rope_factors_long.weight", (48,), "one"),
        ("token_embd.weight", (4096, 128256), "weight"),
        ("output.bias", (51200,), "weight"),
        ("v.blk.0.ln1.weight", (1152,), "one"),
    ],
)
def test_roles(name: str, dims: tuple[int, ...], role: str) -> None:
    assert role_of(name, dims) == role
