from __future__ import annotations

import pytest
from stub_models import Stub, transformer

from memfit.errors import UnknownName, UsageError
from memfit.precision.mixture import Mix, mix
from memfit.precision.presets import PRESETS

_LLAMA_3_8B = transformer(
    "llama-3-8b", "llama", layers=32, width=4096, inner=14336, heads=32, kv_heads=8, vocabulary=128256
)


def _mix(preset: str, model: Stub = _LLAMA_3_8B, **wishes: object) -> Mix:
    return mix(preset, model.architecture, model.tensors, **model.facts, **wishes)  # type: ignore[arg-type]


def _small(**changes: object) -> Stub:
    facts = {"layers": 8, "width": 1024, "inner": 4096, "heads": 8, "kv_heads": 8} | changes
    return transformer("small", str(facts.pop("architecture", "llama")), **facts)  # type: ignore[arg-type]


# llama.cpp tools/perplexity/README.md, LLaMA 3 8b scoreboard: the size of the files, which hold 7 MiB of tokenizer too.
# Q2_K_S is left out: the table repeats the size of Q2_K there.
_PUBLISHED_GIB = {
    "F16": 14.97,
    "Q8_0": 7.96,
    "Q6_K": 6.14,
    "Q5_K_M": 5.33,
    "Q5_K_S": 5.21,
    "Q5_1": 5.65,
    "Q5_0": 5.21,
    "Q4_K_M": 4.58,
    "Q4_K_S": 4.37,
    "Q4_1": 4.78,
    "Q4_0": 4.34,
    "Q3_K_L": 4.03,
    "Q3_K_M": 3.74,
    "Q3_K_S": 3.41,
    "Q2_K": 2.96,
}
_PUBLISHED_IMATRIX_GIB = {
    "IQ4_NL": 4.35,
    "IQ4_XS": 4.14,
    "IQ3_M": 3.53,
    "IQ3_S": 3.42,
    "IQ3_XS": 3.28,
    "IQ3_XXS": 3.05,
    "IQ2_M": 2.74,
    "IQ2_S": 2.56,
    "IQ2_XS": 2.43,
    "IQ2_XXS": 2.24,
    "IQ1_M": 2.01,
    "IQ1_S": 1.88,
}


@pytest.mark.parametrize(
    ("preset", "imatrix", "gib"),
    [(name, False, gib) for name, gib in _PUBLISHED_GIB.items()]
    + [(name, True, gib) for name, gib in _PUBLISHED_IMATRIX_GIB.items()],
)
def test_llama_3_8b_takes_what_was_published(preset: str, imatrix: bool, gib: float) -> None:
    assert _mix(preset, has_imatrix=imatrix).weights_bytes / 1024**3 == pytest.approx(gib, abs=0.015)


def test_sensitive_layers_get_more_bits() -> None:
    formats = _mix("Q4_K_M").formats
    six = [layer for layer in range(32) if formats[f"blk.{layer}.ffn_down.weight"] == "Q6_K"]
    assert six == [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]
    assert formats["output.weight"] == "Q6_K"
    assert formats["token_embd.weight"] == "Q4_K"
    assert formats["blk.0.attn_norm.weight"] == "F32"


def test_embeddings_that_are_the_output_too_are_stored_as_output() -> None:
    assert _mix("Q4_K_M", _small(tied=True)).formats["token_embd.weight"] == "Q6_K"
    assert _mix("Q4_K_M", _small(tied=False)).formats["token_embd.weight"] == "Q4_K"


def test_choices_follow_the_engines_order_whatever_the_files() -> None:
    model = _small(layers=12)
    backwards = Stub(model.name, model.architecture, model.tensors[::-1], model.layers, model.heads, model.kv_heads)
    ours = _mix("Q3_K_M", backwards)
    assert ours == _mix("Q3_K_M", model)
    blocks = [choice.name for choice in ours.choices if choice.name.startswith("blk.")]
    assert [name.split(".")[1] for name in blocks] == sorted((name.split(".")[1] for name in blocks), key=int)


def test_a_fallback_is_told_and_not_silent() -> None:
    result = _mix("Q4_K_M", _small(width=896))
    told = {choice.name: (choice.wanted, choice.format) for choice in result.fallbacks}
    assert told["blk.3.attn_q.weight"] == ("Q4_K", "Q5_0")
    assert told["blk.0.attn_v.weight"] == ("Q6_K", "Q8_0")
    assert "blk.3.ffn_down.weight" not in told, "its rows of 4096 fit"
    assert "output.weight" not in told, "the engine chooses Q8_0 there without asking for more"
    assert _mix("Q4_K_M").fallbacks == ()


def test_rows_that_no_block_divides_stay_in_16_bits() -> None:
    choices = {choice.name: choice for choice in _mix("Q4_K_M", _small(width=1000)).choices}
    assert choices["blk.0.attn_q.weight"].format == "F16"
    assert choices["blk.0.attn_q.weight"].wanted == "Q4_K"


def test_what_the_engine_refuses_is_refused() -> None:
    with pytest.raises(UsageError, match=r"blk\.0\.attn_k\.weight: a row of 1000 numbers .* Q1_0 blocks of 128"):
        _mix("Q1_0", _small(width=1000, tied=True, vocabulary=512), embedding_format="F16")
    with pytest.raises(UsageError, match="a row of 896 numbers"):
        _mix("Q4_K_M", _small(width=896), embedding_format="Q6_K")
    with pytest.raises(UsageError, match="not a regular expression"):
        _mix("Q4_K_M", overrides=[("attn_(", "Q8_0")])
    with pytest.raises(UsageError, match="no recipe for NVFP4"):
        _mix("NVFP4")
    with pytest.raises(UnknownName, match="Q4_K_XXL"):
        _mix("Q4_K_XXL")


@pytest.mark.parametrize("name", ["blk.9.ffn_down_exps.weight", "ffn_up_exps.weight"])
def test_experts_outside_the_models_layers_are_refused(name: str) -> None:
    stray = ((name, (256, 4, 4), "F16"),)
    with pytest.raises(UsageError, match="none of the model's 9 layers"):
        mix("Q4_K_M", "qwen3moe", stray, layers=9, heads=8, kv_heads=2, experts=4)
    assert mix("Q4_K_M", "qwen3moe", stray, layers=9, heads=8, kv_heads=2, experts=1).formats


def test_importance_matrices_are_asked_for_where_the_engine_insists() -> None:
    wanting = {preset.name for preset in PRESETS if preset.recipe and _mix(preset.name).needs_imatrix}
    assert wanting == {"IQ1_M", "IQ1_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ3_XS", "IQ3_XXS", "Q2_K_S"}


def test_experts_alone_are_mxfp4_under_its_preset() -> None:
    formats = _mix("MXFP4_MOE", _small(experts=32, width=2880, inner=2880)).formats
    four = {name.split(".", 2)[2] for name, format in formats.items() if format == "MXFP4"}
    assert four == {"ffn_down_exps.weight", "ffn_gate_exps.weight", "ffn_up_exps.weight"}
    assert formats["blk.0.attn_q.weight"] == formats["output.weight"] == formats["token_embd.weight"] == "Q8_0"


def test_wishes_override_the_preset() -> None:
    formats = _mix(
        "Q4_K_M",
        output_format="q8_0",
        embedding_format="q5_k",
        overrides=[("attn_v", "q6_k"), (r"blk\.31\.", "f16")],
    ).formats
    assert formats["output.weight"] == "Q8_0"
    assert formats["token_embd.weight"] == "Q5_K"
    assert formats["blk.31.attn_v.weight"] == "Q6_K", "the first pattern wins"
    assert formats["blk.31.ffn_up.weight"] == "F16"
    assert set(_mix("Q4_K_M", pure=True).formats.values()) == {"Q4_K", "F32"}
    assert _mix("Q4_K_M", keep_output=True).formats["output.weight"] == "F16"


def test_float_presets_do_not_heed_patterns() -> None:
    assert set(_mix("BF16", overrides=[("attn", "Q8_0")]).formats.values()) == {"BF16", "F32"}


def test_a_mix_adds_up() -> None:
    result = _mix("Q5_K_S", _small(layers=2))
    assert result.weights_bytes == sum(choice.bytes for choice in result.choices)
    assert len(result.formats) == len(result.choices) == len(_small(layers=2).tensors)
    norm = next(choice for choice in result.choices if choice.name == "output_norm.weight")
    assert (norm.before, norm.format, norm.bytes) == ("F32", "F32", 4096)
