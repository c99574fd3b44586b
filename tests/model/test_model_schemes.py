"""Whole models in the formats of checkpoints, beside sizes that makers publish."""

import pytest

from memfit.errors import UsageError
from memfit.model import ModelShape, find_model
from memfit.model.schemes import in_scheme, part_of
from memfit.precision.schemes import SCHEMES
from memfit.units import MIB


def sized(model: str, scheme: str) -> ModelShape:
    return in_scheme(find_model(model, format="F16"), scheme)


def test_mlc_counts_the_same_parameters() -> None:
    """``Parameters: 4308.133 MB`` at its start with Llama-3-8B q4f16_1 (a log of 2024-05; its MB are MiB)."""
    assert round(sized("Llama-3-8B", "q4f16_1").weights_bytes / MIB, 3) == 4308.133


# file sizes in MiB: ExecuTorch examples/models/llama/README.md @ 00748569, table of Llama 3.2 (SpinQuant: 8da4w)
@pytest.mark.parametrize(
    ("model", "scheme", "file_mib"),
    [
        ("Llama-3.2-1B", "bf16", 2358),
        ("Llama-3.2-1B", "8da4w", 1083),
        ("Llama-3.2-3B", "bf16", 6129),
        ("Llama-3.2-3B", "8da4w", 2435),
    ],
)
def test_executorch_files_hold_little_more(model: str, scheme: str, file_mib: int) -> None:
    assert sized(model, scheme).weights_bytes / MIB == pytest.approx(file_mib, rel=0.001)
    assert sized(model, scheme).weights_bytes / MIB < file_mib


def test_what_a_conversion_adds_is_in_no_checkpoint() -> None:
    names = {tensor.name for tensor in find_model("Llama-3.2-1B", format="F16").tensors}
    assert "rope_freqs.weight" in names
    left = {tensor.name for tensor in sized("Llama-3.2-1B", "bf16").tensors}
    assert names - left == {"rope_freqs.weight"}


def test_a_tied_output_is_stored_apart_where_it_is_quantized_apart() -> None:
    tied = sized("Llama-3.2-1B", "bf16")
    assert "output.weight" not in {tensor.name for tensor in tied.tensors}
    apart = sized("Llama-3.2-1B", "8da4w")
    assert [tensor.name for tensor in apart.tensors].count("output.weight") == 1
    assert in_scheme(apart, "8da4w") == apart, "asked again, nothing is added again"
    assert in_scheme(apart, "bf16").weights_bytes == tied.weights_bytes


def test_parameters_stay() -> None:
    base = find_model("Qwen3-8B", format="F16")
    assert in_scheme(base, "awq").parameters == base.parameters
    assert in_scheme(base, "awq").layers == base.layers


def test_of_gpt_oss_only_experts_are_mxfp4() -> None:
    tensors = {tensor.name: tensor for tensor in sized("gpt-oss-20b", "mxfp4").tensors}
    expert, query = tensors["blk.0.ffn_up_exps.weight"], tensors["blk.0.attn_q.weight"]
    assert expert.bytes == expert.elements // 2 + expert.elements // 32
    assert query.bytes == 2 * query.elements


@pytest.mark.parametrize(
    ("name", "dims", "expected"),
    [
        ("token_embd.weight", (64, 100), "embedding"),
        ("output.weight", (64, 100), "output"),
        ("output_norm.weight", (64,), "norm"),
        ("blk.3.attn_norm.weight", (64,), "norm"),
        ("blk.3.attn_q.weight", (64, 64), "linear"),
        ("blk.3.attn_q.bias", (64,), "other"),
        ("blk.11.ffn_down_exps.weight", (64, 64, 8), "linear"),
        ("blk.0.ffn_gate_inp.weight", (64, 8), "router"),
        ("blk.0.ssm_conv1d.weight", (4, 64), "convolution"),
        ("blk.0.ssm_a", (16, 64), "other"),
        ("blk.0.altup_correct_coef.weight", (4, 4), "other"),
        ("blk.0.time_mix_w2.weight", (64, 1024), "other"),
        ("rope_freqs.weight", (64,), "other"),
    ],
)
def test_the_part_of_a_tensor(name: str, dims: tuple[int, ...], expected: str) -> None:
    assert part_of(name, dims) == expected


@pytest.mark.parametrize("model", ["Qwen3-8B", "gemma-3-4b", "gpt-oss-20b", "Mamba-130M", "Qwen3-Next-80B-A3B"])
@pytest.mark.parametrize("scheme", SCHEMES.keys())
def test_a_model_is_sized_or_refused_in_words(model: str, scheme: str) -> None:
    base = find_model(model, format="F16")
    whole = SCHEMES.get(scheme).whole
    parts = [one for one in base.tensors if part_of(one.name, one.dims) in ("linear", *SCHEMES.get(scheme).others)]
    dense = not any(layer.experts for layer in base.layers)
    if whole and (dense or scheme != "mxfp4") and any(one.dims[0] % whole for one in parts if len(one.dims) > 1):
        with pytest.raises(UsageError, match="is not a whole number of"):
            in_scheme(base, scheme)
        return
    shape = in_scheme(base, scheme)
    assert all(tensor.bytes > 0 for tensor in shape.tensors)
    widest = 4 * base.parameters + 4 * base.vocabulary_tokens * base.embedding_length
    assert base.parameters * SCHEMES.get(scheme).weight_bits / 8 * 0.9 < shape.weights_bytes <= widest


def test_tensors_of_other_names_are_refused() -> None:
    import msgspec

    shape = find_model("Qwen3-8B", format="F16")
    renamed = msgspec.structs.replace(shape, tensors=shape.tensors[5:9])
    with pytest.raises(UsageError, match="cannot be sized"):
        in_scheme(renamed, "awq")
