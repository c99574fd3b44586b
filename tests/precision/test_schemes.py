"""Weight formats of checkpoints: layouts counted by hand, and the law of the catalog."""

import pytest

from memfit.catalog import fold
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.precision._scheme import Part, Scheme, Stored
from memfit.precision.schemes import SCHEMES
from memfit.precision.support import how

ALL = list(SCHEMES.items())
K, N = 4096, 14336


@pytest.mark.parametrize(("key", "scheme"), ALL, ids=[key for key, _ in ALL])
def test_a_scheme_says_what_it_is(key: str, scheme: Scheme) -> None:
    assert scheme.summary
    assert scheme.source
    assert SCHEMES.get(scheme.name) is scheme, "it is found by its name"
    assert all(SCHEMES.get(alias) is scheme for alias in scheme.aliases)
    assert len({fold(alias) for alias in scheme.aliases}) == len(scheme.aliases)
    assert scheme.bits >= scheme.weight_bits
    assert scheme.bits < scheme.weight_bits + 2 or scheme.weight_bits >= 16
    assert scheme.quality is None or scheme.quality.source


@pytest.mark.parametrize(("key", "scheme"), ALL, ids=[key for key, _ in ALL])
def test_what_engines_do_with_it_is_said_of_known_engines_and_sourced(key: str, scheme: Scheme) -> None:
    assert scheme.support
    for entry in scheme.support:
        assert entry.engine in ENGINES.keys()  # noqa: SIM118  an alias would do otherwise
        assert entry.source
        assert entry.says
    runs = {entry.engine for entry in scheme.support if entry.how != "unsupported"}
    assert runs, f"no engine runs {key}"


def test_two_schemes_never_answer_to_one_name() -> None:
    names = [fold(name) for _, scheme in ALL for name in (scheme.name, *scheme.aliases)]
    claimed = [fold(name) for _, scheme in ALL for name in {fold(name) for name in (scheme.name, *scheme.aliases)}]
    assert len(set(names)) == len(claimed)


# what a checkpoint holds for one matrix of 4096 inputs and 14336 outputs, counted by hand
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fp32", K * N * 4),
        ("bf16", K * N * 2),
        ("fp8", K * N + 4 + 4),
        ("fp8_channel", K * N + 2 * N),
        ("fp8_block", K * N + 4 * (K // 128) * (N // 128)),
        ("int8", K * N + 2 * N),
        ("w8a8", K * N + 2 * N),
        # qweight int32 (4096, 1792), qzeros int32 (32, 1792), scales F16 (32, 14336)
        ("awq", 4 * 4096 * 1792 + 4 * 32 * 1792 + 2 * 32 * 14336),
        # qweight int32 (512, 14336), qzeros int32 (32, 1792), scales F16 (32, 14336), g_idx int32 (4096)
        ("gptq", 4 * 512 * 14336 + 4 * 32 * 1792 + 2 * 32 * 14336 + 4 * 4096),
        # weight_packed int32 (14336, 512), weight_scale BF16 (14336, 32), weight_shape int64 (2)
        ("compressed_w4a16", 4 * 14336 * 512 + 2 * 14336 * 32 + 16),
        ("nvfp4", K * N // 2 + N * K // 16 + 8),
        ("mxfp4", K * N // 2 + N * K // 32),
        # absmax U8 for 64, nested_absmax F32 for 256 of those, tables of 256 and 16 F32
        ("bnb_nf4", K * N // 2 + K * N // 64 + 4 * K * N // 64 // 256 + 4 * 256 + 4 * 16),
        ("bnb_int8", K * N + 4 * N + 1),
        # trellis int16 (256, 896, 48), suh F16 (4096), svh F16 (14336), mcg int32
        ("exl3", 2 * 256 * 896 * 48 + 2 * K + 2 * N + 4),
        ("squeezellm_4bit", K * N // 2 + N * 16 * 2),
        ("squeezellm_3bit", 4 * (K * 3 // 32) * N + N * 8 * 2),
        ("q4f16_1", K * N // 2 + 2 * N * K // 32),
        # 103 groups of 40, each four words of ten numbers and a scale
        ("q3f16_1", N * 103 * (16 + 2)),
        ("xnnpack_8da4w", K * N // 2 + 4 * N * K // 32),
        ("onnx_int4", N * (K // 32) * (16 + 2)),
    ],
)
def test_bytes_of_a_layer_are_those_of_its_stored_tensors(name: str, expected: int) -> None:
    assert SCHEMES.get(name).matrix_bytes((K, N)) == expected


def test_experts_are_matrices_of_their_own() -> None:
    for _, scheme in ALL:
        assert scheme.matrix_bytes((K, 512, 8)) == 8 * scheme.matrix_bytes((K, 512))


def test_words_are_whole() -> None:
    # 12 outputs of 4 bits are two words and not one and a half
    assert Stored(name="q", bits=4, per="number", packed="outputs").bytes(128, 12, 128) == 128 * 8
    assert Stored(name="q", bits=4, per="number", packed="inputs").bytes(12, 128, 128) == 128 * 8


def test_a_last_group_that_is_not_full_has_its_scale() -> None:
    assert SCHEMES.get("gptq").matrix_bytes((130, 8)) > SCHEMES.get("gptq").matrix_bytes((128, 8)) + 8


def test_rows_that_the_quantizer_refuses_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="a row of 100 numbers is not a whole number of AWQ's groups of 128") as caught:
        SCHEMES.get("awq").matrix_bytes((100, 64))
    assert "w8a8" in (caught.value.hint or "")


@pytest.mark.parametrize("part", ["embedding", "output", "norm", "router", "convolution", "other"])
def test_quantizers_keep_all_but_linear_layers(part: Part) -> None:
    assert SCHEMES.get("awq").part_bytes(part, (128, 64)) == 2 * 128 * 64
    assert SCHEMES.get("awq").part_bytes("linear", (128, 64)) < 128 * 64


def test_a_bias_is_never_quantized() -> None:
    assert SCHEMES.get("q4f16_1").part_bytes("linear", (4096,)) == 2 * 4096


def test_of_a_mixture_of_experts_mxfp4_holds_the_experts_alone() -> None:
    scheme = SCHEMES.get("mxfp4")
    assert scheme.part_bytes("linear", (64, 64), dense_of_experts=True) == 2 * 64 * 64
    assert scheme.part_bytes("linear", (64, 64)) == 64 * 64 // 2 + 64 * 2


def test_a_published_loss_is_none() -> None:
    for key, scheme in ALL:
        if scheme.quality is not None and scheme.quality.perplexity is not None:
            assert scheme.quality.baseline is not None, key
            assert scheme.quality.perplexity >= scheme.quality.baseline
            assert scheme.quality.model


def test_every_engine_of_checkpoints_runs_what_it_takes_by_default() -> None:
    for key, engine in ENGINES.items():
        if engine.reads != "checkpoints":
            continue
        on_gpu = engine.profiles["server"].backend == "cuda"
        found = how(SCHEMES.get(engine.default_format), key, "8.7" if on_gpu else None)
        assert found is not None, key
        assert found.how != "unsupported", key
        assert all(name in SCHEMES for name in engine.smaller_formats)
