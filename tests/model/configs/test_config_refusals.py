"""Configs that contradict themselves are refused with file and field."""

from typing import Any

import pytest

from memfit.errors import Malformed
from memfit.model.configs import CONFIGS
from memfit.model.configs._section import Section

SMALL: dict[str, Any] = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 96,
    "vocab_size": 300,
}


def read(kind: str, **changed: Any) -> Any:
    return CONFIGS.get(kind).read(Section({**SMALL, "model_type": kind, **changed}, file="there/config.json"))


@pytest.mark.parametrize(
    ("kind", "changed", "complaint"),
    [
        (
            "llama",
            {"num_attention_heads": 5, "num_key_value_heads": 5},
            "num_attention_heads is 5, which does not divide",
        ),
        ("llama", {"num_key_value_heads": 3}, "num_key_value_heads is 3, which does not divide num_attention_heads 4"),
        ("llama", {"hidden_size": 64.0}, "hidden_size is 64.0, expected a whole number"),
        ("llama", {"hidden_size": True}, "hidden_size is True"),
        ("llama", {"hidden_size": "64"}, "hidden_size is '64'"),
        ("llama", {"hidden_size": 0}, "hidden_size is 0, expected a whole number from 1"),
        ("llama", {"hidden_size": 10**60}, "more than 128 bits"),
        ("llama", {"num_hidden_layers": 513}, "num_hidden_layers is 513, expected a whole number from 1 to 512"),
        ("llama", {"tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes', not true or false"),
        ("llama", {"rope_scaling": [1]}, "rope_scaling is a list of 1, not an object"),
        ("gemma3_text", {"layer_types": ["full_attention"]}, "layer_types has 1 entries for 2 layers"),
        (
            "gemma3_text",
            {"layer_types": ["full_attention", "mamba"]},
            "layer_types has 'linear_attention', expected one of",
        ),
        (
            "mixtral",
            {"num_local_experts": 2, "num_experts_per_tok": 3},
            "num_experts_per_tok is 3, of num_local_experts 2",
        ),
        ("mixtral", {"num_local_experts": 5000}, "num_local_experts is 5000"),
        ("mamba2", {"num_heads": 3}, "num_heads is 3, which does not divide the mixer's width 128"),
        ("mamba2", {"num_heads": 4, "head_dim": 16}, "head_dim is 16: 4 heads of it are not the mixer's width 128"),
        (
            "jamba",
            {"attn_layer_period": 2, "attn_layer_offset": 2},
            "attn_layer_offset is 2, no less than attn_layer_period",
        ),
        ("nemotron_h", {"hybrid_override_pattern": "MX"}, "hybrid_override_pattern has 'X'"),
        ("nemotron_h", {"hybrid_override_pattern": "M*-"}, "num_hidden_layers is 2, and 3 layers are listed"),
        ("lfm2_moe", {}, "layer_types is missing"),
        ("gemma3n_text", {"intermediate_size": [1, 2, 3]}, "intermediate_size has 3 entries for 2 layers"),
        ("gemma3n_text", {"num_kv_shared_layers": 2}, "num_kv_shared_layers leaves layers without a KV cache"),
        ("qwen3_next", {"linear_num_key_heads": 4, "linear_num_value_heads": 6}, "linear_num_value_heads is 6"),
        ("nemotron-nas", {"max_position_embeddings": 8}, "block_configs is not a list of num_hidden_layers 2 objects"),
        (
            "llava",
            {"text_config": {"model_type": "lama"}},
            "text_config has model_type 'lama', which memfit does not know",
        ),
        ("llava", {"vision_config": {"model_type": "clip"}}, "vision_config.model_type is 'clip', expected one of"),
        (
            "llava",
            {"vision_config": {"hidden_size": 30, "num_attention_heads": 4}},
            "vision_config.num_attention_heads is 4",
        ),
        ("gemma3", {"text_config": 3}, "text_config is 3, not an object"),
        ("gemma3", {"text_config": {"head_dim": -1}}, "text_config.head_dim is -1"),
    ],
)
def test_it_says_which_field_of_which_file(kind: str, changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(kind, **changed)
    assert caught.value.message.startswith("there/config.json: ")
    assert complaint in caught.value.message


def test_an_unknown_text_half_names_the_nearest() -> None:
    with pytest.raises(Malformed) as caught:
        read("llava", text_config={"model_type": "lama"})
    assert "llama" in (caught.value.hint or "")


def test_absent_and_null_are_not_the_same() -> None:
    # Qwen2Config gives 32 key/value heads where the field is absent, and as many as there are heads where it is null
    values = {key: value for key, value in SMALL.items() if key != "num_key_value_heads"}
    with pytest.raises(Malformed, match="num_key_value_heads is 32"):
        CONFIGS.get("qwen2").read(Section({**values, "model_type": "qwen2"}))
    assert read("qwen2", num_key_value_heads=None).layers[0].kv_heads == 4


def test_what_llama_cpp_cannot_run_has_no_card() -> None:
    assert read("qwen3_moe", num_experts=4, num_experts_per_tok=2).card is not None
    mixed = read("qwen3_moe", num_experts=4, num_experts_per_tok=2, mlp_only_layers=[0])
    assert mixed.card is None
    assert (mixed.layers[0].experts, mixed.layers[0].feed_forward_length, mixed.layers[1].experts) == (0, 96, 4)


def test_a_model_without_a_head_has_no_output_matrix() -> None:
    bare = read("qwen3", architectures=["Qwen3Model"], head_dim=16)
    assert "output.weight" not in {tensor.name for tensor in bare.tensors}
    whole = read("qwen3", architectures=["Qwen3ForCausalLM"], head_dim=16)
    assert whole.parameters == bare.parameters + 300 * 64


def test_a_vision_model_has_both_halves() -> None:
    whole = read("llava", text_config={**SMALL, "model_type": "llama"}, vision_config={"num_hidden_layers": 3})
    (tower,) = whole.towers
    assert (tower.kind, tower.layers, tower.projector) == ("vision", 3, "mlp")
    prefixes = {tensor.name.split(".")[0] for tensor in whole.tensors}
    assert {"v", "mm", "blk", "token_embd"} <= prefixes


def test_parts_are_what_quantizers_keep_apart() -> None:
    parts = {tensor.name: tensor.part for tensor in read("qwen3_moe", num_experts=4, num_experts_per_tok=2).tensors}
    assert parts["token_embd.weight"] == "embedding"
    assert parts["output.weight"] == "output"
    assert parts["blk.0.ffn_gate_inp.weight"] == "router"
    assert parts["blk.0.ffn_up_exps.weight"] == "linear"
    assert parts["blk.0.attn_q_norm.weight"] == "norm"
    hybrid = {tensor.name: tensor.part for tensor in read("mamba2", num_heads=4, head_dim=32).tensors}
    assert hybrid["blk.0.ssm_conv1d.weight"] == "convolution"
    assert hybrid["blk.0.ssm_a"] == "other"


def test_buffers_are_stored_and_not_counted() -> None:
    half = read(
        "lfm2_moe", layer_types=["conv", "full_attention"], num_experts=4, num_experts_per_tok=2, num_dense_layers=0
    )
    buffers = [tensor for tensor in half.tensors if not tensor.parameter]
    assert {tensor.name for tensor in buffers} == {"blk.0.exp_probs_b.bias", "blk.1.exp_probs_b.bias"}
    assert half.parameters == sum(tensor.elements for tensor in half.tensors) - 8
