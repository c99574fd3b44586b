"""Random configs of Hugging Face models whose sizes fit each other, for ``count_parameters.py``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Fields = dict[str, Any]

# vision and audio sections by the kind of the whole, where they are not of the class' default
SECTIONS = {"llava": ("clip_vision_model", "siglip_vision_model"), "gemma3": ("siglip_vision_model",)}
TEXTS = {"llava": ("llama", "mistral", "qwen2", "gemma"), "mistral3": ("mistral", "ministral3"), "voxtral": ("llama",)}
SWITCHES = (
    "tie_word_embeddings attention_bias mlp_bias bias use_bias use_conv_bias conv_bias qkv_bias use_qkv_bias"
    " qk_layernorm use_parallel_residual use_qk_norm lm_head_bias new_decoder_architecture multi_query"
    " parallel_attn mamba_conv_bias mamba_proj_bias projectors_bias mamba_rms_norm add_bias_linear"
    " use_shared_attention_adapter block_auto_adjust_ff_dim use_expert_bias multimodal_projector_bias"
    " projector_bias projector_use_layernorm vision_use_head attention_k_eq_v use_double_wide_mlp enable_moe_block"
    " use_clipped_linears standardize"
).split()
KEPT_SECTIONS = 0.85
# without names for its labels this section asks timm for those of ImageNet
MOBILE_NET = {"architecture": "mobilenetv5_300m_enc", "label_names": ["a", "b"], "num_classes": 2}
LEFT_OUT = 0.12
# without these, a default contradicts the small sizes of the others
NEVER_LEFT_OUT = (
    "hidden_size num_attention_heads num_key_value_heads num_kv_heads d_model embed_dim num_heads pad_token_id"
    " encoder_attention_heads decoder_attention_heads num_experts_per_tok linear_num_key_heads linear_num_value_heads"
).split()


class Dice:
    """Random sizes that fit each other."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        self.heads = self.pick(2, 4, 6, 8)
        self.kv = self.pick(*(each for each in range(1, self.heads + 1) if self.heads % each == 0))
        self.head = self.pick(8, 16, 32)
        self.width = self.heads * self.head
        self.layers = self.rng.randint(2, 7)

    def pick(self, *choices: Any) -> Any:
        """One of these."""
        return self.rng.choice(choices)

    def flag(self) -> bool:
        """Heads or tails."""
        return self.rng.random() < 0.5

    def types(self, *names: str) -> list[str]:
        """The kind of each layer, each kind there at least once where there are enough layers."""
        drawn = [self.pick(*names) for _ in range(self.layers)]
        drawn[: len(names)] = names[: self.layers]
        self.rng.shuffle(drawn)
        return drawn


def _common(dice: Dice) -> dict[str, Callable[[], Any]]:
    """What a field may be, by its name; fields that a class does not have are not drawn."""
    width, layers = dice.width, dice.layers
    return {
        "vocab_size": lambda: dice.pick(300, 512, 1000),
        "pad_token_id": lambda: 0,
        "hidden_size": lambda: width,
        "n_embd": lambda: width,
        "d_model": lambda: width,
        "intermediate_size": lambda: dice.pick(48, 96, 200),
        "n_inner": lambda: dice.pick(None, 96),
        "ffn_hidden_size": lambda: dice.pick(None, 96),
        "num_hidden_layers": lambda: layers,
        "n_layer": lambda: layers,
        "num_attention_heads": lambda: dice.heads,
        "n_head": lambda: dice.heads,
        "num_key_value_heads": lambda: dice.kv,
        "num_kv_heads": lambda: dice.kv,
        "max_position_embeddings": lambda: dice.pick(64, 128),
        "n_positions": lambda: dice.pick(64, 128),
        "type_vocab_size": lambda: dice.pick(1, 2),
        "head_dim": lambda: dice.pick(dice.head, 24),
        "sliding_window": lambda: dice.pick(16, 32),
        "mlp_only_layers": lambda: dice.pick([], [], [0], [1]),
        "decoder_sparse_step": lambda: dice.pick(1, 1, 2),
        "num_experts": lambda: dice.pick(4, 6),
        "num_local_experts": lambda: dice.pick(4, 6),
        "n_routed_experts": lambda: dice.pick(4, 6),
        "num_experts_per_tok": lambda: dice.pick(1, 2),
        "n_shared_experts": lambda: dice.pick(1, 2),
        "moe_intermediate_size": lambda: dice.pick(24, 40),
        "shared_expert_intermediate_size": lambda: dice.pick(24, 56),
        "shared_intermediate_size": lambda: dice.pick(24, 56),
        "moe_shared_expert_intermediate_size": lambda: dice.pick(24, 56),
        "moe_latent_size": lambda: dice.pick(None, 20),
        "first_k_dense_replace": lambda: dice.pick(0, 1, layers),
        "q_lora_rank": lambda: dice.pick(None, 24),
        "kv_lora_rank": lambda: dice.pick(16, 32),
        "qk_rope_head_dim": lambda: dice.pick(8, 16),
        "qk_nope_head_dim": lambda: dice.pick(8, 24),
        "v_head_dim": lambda: dice.pick(8, 24),
        "n_group": lambda: 1,
        "topk_group": lambda: 1,
        # gated delta nets
        "linear_conv_kernel_dim": lambda: dice.pick(3, 4),
        "linear_key_head_dim": lambda: dice.pick(8, 16),
        "linear_value_head_dim": lambda: dice.pick(8, 16),
        "linear_num_key_heads": lambda: 2,
        "linear_num_value_heads": lambda: dice.pick(2, 4, 6),
        # state spaces
        "state_size": lambda: dice.pick(8, 16),
        "expand": lambda: dice.pick(1, 2, 3),
        "conv_kernel": lambda: dice.pick(3, 4),
        "time_step_rank": lambda: dice.pick("auto", 5),
        "mamba_dt_rank": lambda: dice.pick("auto", 5),
        "mamba_d_state": lambda: dice.pick(8, 16),
        "mamba_d_conv": lambda: dice.pick(3, 4),
        "mamba_expand": lambda: dice.pick(1, 2),
        "mamba_n_heads": lambda: dice.heads,
        "mamba_n_groups": lambda: dice.pick(1, 2),
        "mamba_d_head": lambda: "auto",
        "ssm_state_size": lambda: dice.pick(8, 16),
        "mamba_num_heads": lambda: dice.heads,
        "mamba_head_dim": lambda: dice.pick(8, 16),
        "n_groups": lambda: dice.pick(1, 2),
        "mamba_ngroups": lambda: dice.pick(1, 2),
        "n_mamba_heads": lambda: dice.heads,
        # Gemma's
        "hidden_size_per_layer_input": lambda: dice.pick(16, 32),
        "vocab_size_per_layer_input": lambda: dice.pick(200, 300),
        "altup_num_inputs": lambda: dice.pick(3, 4),
        "laurel_rank": lambda: dice.pick(8, 16),
        "position_embedding_size": lambda: dice.pick(40, 100),
        # short convolutions
        "conv_L_cache": lambda: dice.pick(3, 4),
        "block_multiple_of": lambda: dice.pick(16, 64),
        "block_ffn_dim_multiplier": lambda: dice.pick(None, 1.0, 1.3),
        "num_dense_layers": lambda: dice.pick(0, 1, 2),
        # encoders
        "image_size": lambda: dice.pick(56, 112),
        "patch_size": lambda: dice.pick(8, 14),
        "num_patches": lambda: dice.pick(16, 64),
        "num_channels": lambda: dice.pick(1, 3),
        "in_channels": lambda: 3,
        "depth": lambda: layers,
        "num_heads": lambda: dice.heads,
        "embed_dim": lambda: width,
        "out_hidden_size": lambda: dice.pick(32, 64),
        "num_position_embeddings": lambda: dice.pick(16, 64),
        "deepstack_visual_indexes": lambda: [0, 1],
        "spatial_merge_size": lambda: dice.pick(1, 2),
        "num_mel_bins": lambda: dice.pick(40, 80),
        "max_source_positions": lambda: dice.pick(50, 100),
        "max_target_positions": lambda: dice.pick(50, 100),
        "projector_hidden_size": lambda: dice.pick(32, 80),
        "downsample_factor": lambda: dice.pick(1, 2),
        "vision_feature_layer": lambda: dice.pick(-2, [-1, -2]),
        "encoder_layers": lambda: layers,
        "decoder_layers": lambda: layers + 1,
        "encoder_attention_heads": lambda: dice.heads,
        "decoder_attention_heads": lambda: dice.heads,
        "encoder_ffn_dim": lambda: dice.pick(48, 96),
        "decoder_ffn_dim": lambda: dice.pick(48, 96),
        "vision_output_dim": lambda: 64,
        "projector_input_dim": lambda: 64,
        "projector_output_dim": lambda: 64,
        "output_proj_dims": lambda: dice.pick(32, 48),
        "subsampling_conv_channels": lambda: [16, 8],
        "conf_num_hidden_layers": lambda: layers,
        "conf_num_attention_heads": lambda: dice.heads,
        "conf_conv_kernel_size": lambda: dice.pick(3, 5),
        "input_feat_size": lambda: dice.pick(64, 80),
        "conv_kernel_size": lambda: dice.pick(3, 5),
        "num_mem_blocks": lambda: dice.pick(1, 2),
        "adapter_rank": lambda: dice.pick(4, 8),
        "interleave_moe_layer_step": lambda: dice.pick(1, 2),
        "intermediate_size_mlp": lambda: dice.pick(48, 96),
        **dict.fromkeys(SWITCHES, dice.flag),
    }


def _layers(kind: str, dice: Dice) -> Fields:
    """Fields that say what each layer is, which only make sense for the kind as a whole."""
    count = dice.layers
    fields: Fields
    if kind in ("gemma2", "gemma3_text", "cohere2", "olmo3", "gpt_oss"):
        return {"layer_types": dice.types("sliding_attention", "full_attention")}
    if kind in ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"):
        return {"layer_types": dice.types("linear_attention", "full_attention")}
    if kind in ("lfm2", "lfm2_moe"):
        return {"layer_types": dice.types("conv", "full_attention")}
    if kind == "granitemoehybrid":
        return {"layer_types": dice.types("mamba", "attention"), "num_local_experts": dice.pick(0, 4)}
    if kind == "bamba":
        return {"attn_layer_indices": sorted(dice.rng.sample(range(count), min(2, count)))}
    if kind == "jamba":
        return {"attn_layer_period": 2, "attn_layer_offset": dice.pick(0, 1), "expert_layer_period": dice.pick(2, 3)}
    if kind == "nemotron_h":
        pattern = "".join(dice.pick("M", "*", "-", "E") for _ in range(count))
        return {"hybrid_override_pattern": pattern, "n_groups": 1, "num_hidden_layers": count}
    if kind == "zamba2":
        return {"layers_block_type": dice.types("mamba", "hybrid")}
    if kind == "llama4_text":
        fields = dice.pick({"moe_layers": [0]}, {"no_rope_layer_interval": 2}, {})
        return fields
    if kind in ("gemma3n_text", "gemma4_text"):
        types = ["sliding_attention", "full_attention", *dice.types("sliding_attention", "full_attention")]
        types[-1] = "full_attention"
        fields = {"num_hidden_layers": len(types), "layer_types": types}
        fields["num_kv_shared_layers"] = dice.pick(0, 1, 2)
        if kind == "gemma3n_text":
            fields["intermediate_size"] = dice.pick(96, [48 + 8 * index for index in range(len(types))])
        else:
            fields |= {"global_head_dim": dice.pick(32, 48), "num_global_key_value_heads": dice.pick(None, 1)}
            fields |= {"num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 24}
        return fields
    return {}


def vary(kind: str, seed: str, *, whole: bool = True) -> Fields:
    """A random config of this kind, with some fields left out."""
    import transformers as hub

    dice = Dice(f"{kind} {seed}")
    cls = hub.CONFIG_MAPPING[kind]
    own = set(cls.__dataclass_fields__)
    fields: Fields = {"model_type": kind} if whole or dice.flag() else {}
    for name, draw in _common(dice).items():
        if name in own and (name in NEVER_LEFT_OUT or dice.rng.random() > LEFT_OUT):
            fields[name] = draw()
    fields |= {name: value for name, value in _layers(kind, dice).items() if dice.rng.random() > LEFT_OUT}
    if kind == "voxtral_encoder":
        fields["intermediate_size"] = 2 * dice.width  # frames are joined until they are as wide
    fields |= dict(_sections(kind, seed, dice, getattr(cls, "sub_configs_defaults", {})))
    if kind == "llama4":
        fields["pad_token_id"] = 0
    if kind == "gemma3n":
        fields.setdefault("vision_config", dict(MOBILE_NET))
    if kind in ("whisper", "bert", "nomic_bert", "roberta", "xlm-roberta"):
        names = {
            "whisper": ("WhisperForConditionalGeneration", "WhisperForCausalLM"),
            "bert": ("BertModel", "BertForMaskedLM"),
            "nomic_bert": ("NomicBertModel", "NomicBertForMaskedLM"),
            "roberta": ("RobertaModel", "RobertaForMaskedLM"),
            "xlm-roberta": ("XLMRobertaModel", "XLMRobertaForCausalLM"),
        }
        fields["architectures"] = [dice.pick(*names[kind])]
    return fields


def bare(kind: str, seed: str) -> Fields:
    """A config of this kind that leaves all sizes to the defaults, with a few layers and some switches."""
    import transformers as hub

    dice = Dice(f"{kind} {seed}")
    cls = hub.CONFIG_MAPPING[kind]
    switches = [name for name in cls.__dataclass_fields__ if name in SWITCHES]
    fields: Fields = {"model_type": kind, **{name: dice.flag() for name in switches if dice.flag()}}
    for name in ("num_hidden_layers", "depth", "encoder_layers", "decoder_layers", "n_layer"):
        if name in cls.__dataclass_fields__ and kind not in ("zamba2", "nemotron_h"):
            fields[name] = dice.layers
    for name, spec in getattr(cls, "sub_configs_defaults", {}).items():
        inner = spec.model_type or spec.config_class.model_type
        if inner != "gemma4_audio" or dice.flag():
            fields[name] = dict(MOBILE_NET) if inner == "gemma3n_vision" else bare(inner, seed)
    return fields


def _sections(kind: str, seed: str, dice: Dice, sections: Mapping[str, Any]) -> Iterator[tuple[str, Fields]]:
    for name, spec in sections.items():
        default = spec.model_type or spec.config_class.model_type
        inner = dice.pick(*(TEXTS if name == "text_config" else SECTIONS).get(kind, (default,)))
        if dice.rng.random() > KEPT_SECTIONS:
            continue
        fields = vary(inner, f"{seed} {name}", whole=inner != default)
        if inner == "gemma3n_vision":
            fields = dict(MOBILE_NET)
        if inner in ("clip_vision_model", "siglip_vision_model"):
            fields |= {"image_size": 112, "patch_size": 14}
        yield name, fields
