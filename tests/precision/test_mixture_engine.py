"""The mixture against the engine's own quantizer, tensor by tensor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quantizer_oracle import Refused, Tensor, computed_types, dry_run, library, quantizable, write_stub
from stub_models import Stub, latent_attention, models, transformer

from memfit.errors import UsageError
from memfit.precision import FORMATS, format_of
from memfit.precision._tensors import is_quantized
from memfit.precision.mixture import Mix, mix
from memfit.precision.presets import PRESETS, Preset

pytestmark = pytest.mark.engine

_RECIPES = tuple(preset for preset in PRESETS if preset.recipe)
_MODELS = models()


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stubs")
    paths = {}
    for model in _MODELS:
        paths[model.name] = folder / f"{model.name}.gguf"
        write_stub(paths[model.name], model.metadata, model.tensors)
    return paths


def _assert_same(ours: Mix, theirs: dict[str, str], log: str, *, imatrix: bool) -> None:
    assert {choice.name: choice.format.lower() for choice in ours.choices} == {
        name: type.lower() for name, type in theirs.items()
    }
    assert list(ours.formats) == list(theirs), "the order differs"
    fallbacks = re.search(r"(\d+) of \d+ tensor\(s\) required fallback", log)
    assert len(ours.fallbacks) == (int(fallbacks.group(1)) if fallbacks else 0)
    size = re.search(r"quant size  = +([\d.]+) MiB", log)
    assert size is not None
    assert f"{ours.weights_bytes / 1024 / 1024:.2f}" == size.group(1)
    if not imatrix:
        assert ours.needs_imatrix == ("will require an imatrix" in log)


def _compare(model: Stub, path: Path, preset: Preset, *, imatrix: bool = False, **wishes: Any) -> None:
    """Both quantizers with the same wishes: the same types, or neither will."""
    asked = dict(wishes)
    for end in ("output", "embedding"):
        if name := wishes.get(f"{end}_format"):
            asked[f"{end}_format"] = FORMATS.get(name)
    asked["overrides"] = [(pattern, FORMATS.get(name)) for pattern, name in wishes.get("overrides", ())]
    facts = model.facts | ({"layers": 36} if "num_loops" in model.extra else {})
    try:
        theirs, log = dry_run(path, preset.file_type, imatrix=imatrix, **asked)
    except Refused:
        with pytest.raises(UsageError):
            mix(preset, model.architecture, model.tensors, **facts, has_imatrix=imatrix, **wishes)
        return
    ours = mix(preset, model.architecture, model.tensors, **facts, has_imatrix=imatrix, **wishes)
    _assert_same(ours, theirs, log, imatrix=imatrix)


@pytest.mark.parametrize("imatrix", [False, True], ids=["plain", "imatrix"])
@pytest.mark.parametrize("preset", _RECIPES, ids=lambda preset: preset.name)
def test_every_preset_gives_every_model_the_engines_types(
    preset: Preset, imatrix: bool, stubs: dict[str, Path]
) -> None:
    for model in _MODELS:
        _compare(model, stubs[model.name], preset, imatrix=imatrix)


_WISHES: dict[str, dict[str, Any]] = {
    "pure": {"pure": True},
    "leave output": {"keep_output": True},
    "output type": {"output_format": "Q8_0"},
    "embedding type": {"embedding_format": "Q4_1"},
    "both types": {"output_format": "F16", "embedding_format": "Q5_1"},
    "tensor types": {
        "overrides": [("attn_v", "Q8_0"), (r"blk\.[0-3]\..*ffn_down", "Q6_K"), ("ffn_(up|down)", "IQ4_XS")]
    },
    "float tensor types": {"overrides": [("ffn_down", "F16"), ("attn", "BF16")], "pure": True},
    "named embeddings": {
        "embedding_format": "Q4_0",
        "output_format": "Q5_0",
        "overrides": [("per_layer_token_embd", "Q2_K")],
    },
}

_VARIED = {"llama-8b", "qwen2-0.5b", "mixtral", "gpt-oss-20b", "deepseek-v2-lite", "falcon-7b", "gemma3n-e2b"}


@pytest.mark.parametrize("wish", _WISHES)
def test_wishes_beside_the_preset_are_heeded_as_the_engine_does(wish: str, stubs: dict[str, Path]) -> None:
    for model in (model for model in _MODELS if model.name in _VARIED):
        for preset in ("F16", "Q4_K_M", "Q3_K_M", "IQ2_M", "IQ3_XXS", "MXFP4_MOE"):
            _compare(model, stubs[model.name], PRESETS.get(preset), **_WISHES[wish])


def test_projectors_are_quantized_as_the_engine_does(tmp_path: Path) -> None:
    tensors: list[Tensor] = [("v.patch_embd.weight", (14, 14, 3, 1024), "F16"), ("mm.0.weight", (1024, 4096), "F16")]
    tensors.append(("v.position_embd.weight", (1024, 577), "F16"))
    for block in range(24):
        at = f"v.blk.{block}."
        tensors += [(f"{at}attn_{part}.weight", (1024, 1024), "F16") for part in ("q", "k", "v", "out")]
        tensors += [(f"{at}ffn_up.weight", (1024, 4096), "F16"), (f"{at}ffn_down.weight", (4096, 1024), "F16")]
    model = Stub("clip", "clip", tuple(tensors), layers=0)
    path = tmp_path / "clip.gguf"
    write_stub(path, model.metadata, model.tensors)
    # presets that ask for the heads of layer 0 are left out: the engine has no layers here and aborts
    for preset in ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q5_0", "Q3_K_M", "MXFP4_MOE"):
        _compare(model, path, PRESETS.get(preset))


def _in_engine_order(tensors: tuple[Tensor, ...]) -> list[Tensor]:
    def place(tensor: Tensor) -> tuple[int, str]:
        name = tensor[0]
        return (int(name.split(".")[1]) if name.startswith("blk.") else -1, name)

    return sorted(tensors, key=place)


@pytest.mark.parametrize("architecture", ["glm5-next", "bailingmoe3", "deepseek2", "llama", "falcon", "qwen3next"])
@pytest.mark.parametrize("experts", [0, 4, 8, 64])
def test_architectures_without_a_stub_agree_with_the_computed_types(architecture: str, experts: int) -> None:
    dense = transformer("any", architecture, layers=13, width=2048, inner=8192, heads=16, kv_heads=4, experts=experts)
    for model in (latent_attention("any", architecture, experts=experts or 2, layers=13), dense):
        ordered = _in_engine_order(model.tensors)
        for preset in _RECIPES:
            if preset.name == "Q1_0":
                continue  # rows of 1408 throw through the C interface
            theirs = computed_types(architecture, 13, 16, model.kv_heads, model.experts, ordered, preset.file_type)
            ours = mix(preset, architecture, model.tensors, **model.facts).formats
            assert {name: ours[name] for name in theirs} == {n: format_of(number).name for n, number in theirs.items()}
            kept = [name for name, _, format in model.tensors if name not in theirs and ours[name] != format]
            assert kept == []


_BODIES = (
    "attn_q attn_q_a attn_q_b attn_k attn_k_b attn_v_b attn_kv_a_mqa attn_norm attn_norm_2 attn_rel_b attn_rel_bx "
    "ffn_up ffn_gate_inp ffn_gate_inp_shexp ffn_gate_tid2eid altup_proj laurel_l per_layer_model_proj "
    "per_layer_token_embd position_embd token_types token_embd output ssm_conv1d ssm_conv1d_q ssm_f_a ssm_f_b "
    "ssm_g_a ssm_g_b ssm_beta ssm_out shortconv.conv shortconv.in_proj indexer.k_proj indexer.q_proj indexer.proj "
    "indexer.attn_k indexer.attn_q_b indexer_compressor_gate indexer_compressor_ape hc_attn_fn nextn.eh_proj "
    "time_mix_first time_mix_w0 time_mix_w1 time_mix_w2 time_mix_v0 time_mix_v1 time_mix_v2 time_mix_v3 time_mix_a0 "
    "time_mix_a1 time_mix_a2 time_mix_g1 time_mix_g2 time_mix_decay_w1 time_mix_decay_w2 time_mix_lerp_fused "
    "time_mix_key sam.pos_embd sam.neck.0 sam.net_2 attn.rel_pos_h v.patch_embd mm.patch_merger v.position_embd "
    "a.rvq.codebook.1 mm.a.code_embd mm.0 "
)


@pytest.mark.parametrize("architecture", ["llama", "glm5-next", "gemma3n", "rwkv7", "bert", "deepseek4"])
def test_the_same_tensors_keep_their_format(architecture: str) -> None:
    tensors: list[Tensor] = [
        (f"{at}{body}{end}", dims, "F16")
        for at in ("", "blk.3.", "v.blk.11.", "enc.blk.0.")
        for body in _BODIES.split()
        for end, dims in ((".weight", (64, 8)), (".weight_2", (64, 8)), (".scale.weight", (64, 1, 1)), (".bias", (64,)))
    ]
    theirs = quantizable(architecture, tensors)
    assert {name for name, dims, _ in tensors if is_quantized(name, dims, architecture)} == theirs
    assert 0 < len(theirs) < len(tensors) / 2


_PLACES = (
    "attn_q attn_k attn_v attn_qkv attn_kv_b attn_output ffn_up ffn_gate ffn_down ffn_up_exps ffn_gate_exps "
    "ffn_down_exps ffn_down_shexp ffn_gate_inp attn_norm ssm_in ssm_conv1d shortconv.conv attn_rel_b"
)
_NAMES = st.sampled_from(_PLACES.split())
_ROWS = st.sampled_from([32, 48, 64, 96, 100, 128, 160, 256, 320, 512, 768])


@st.composite
def _random_models(draw: st.DrawFn) -> Stub:
    layers = draw(st.integers(1, 40))
    kv_heads = draw(st.sampled_from([0, 1, 2, 4, 8]))
    experts = draw(st.sampled_from([0, 0, 1, 2, 3, 4, 8, 16]))
    tensors: dict[str, Tensor] = {}
    for name in draw(st.sets(_NAMES, min_size=1)):
        row, rows = draw(_ROWS), draw(st.integers(1, 4))
        depth = draw(st.integers(1, 3))
        for layer in draw(st.sets(st.integers(0, layers - 1), max_size=8)):
            full = f"blk.{layer}.{name}.weight"
            tensors[full] = (full, (row, rows, depth), "F16")
    for name in draw(st.sets(st.sampled_from(["output", "token_embd", "per_layer_token_embd", "blk", "ffn_down_x"]))):
        tensors[name] = (f"{name}.weight", (draw(_ROWS), 16), "F16")
    tensors.setdefault("token_embd", ("token_embd.weight", (256, 16), "F16"))
    architecture = draw(st.sampled_from(["llama", "falcon", "qwen2", "qwen3moe"]))
    return Stub("drawn", architecture, tuple(tensors.values()), layers, kv_heads * 4, kv_heads, experts, 256)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=_random_models(), imatrix=st.booleans())
def test_models_that_no_one_thought_of_agree_with_the_engine(model: Stub, imatrix: bool, tmp_path: Path) -> None:
    library("llama")
    path = tmp_path / "drawn.gguf"
    write_stub(path, model.metadata, model.tensors)
    for preset in _RECIPES:
        _compare(model, path, preset, imatrix=imatrix)
