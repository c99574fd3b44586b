"""Models as headers: names and dims of every tensor, and the metadata that the engine's quantizer reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = int | float | str | Sequence[int]
Tensor = tuple[str, tuple[int, ...], str]


@dataclass(frozen=True)
class Stub:
    """A model without weights. Matrices are F16 and vectors F32, as converters write them."""

    name: str
    architecture: str
    tensors: tuple[Tensor, ...]
    layers: int
    heads: int = 0
    kv_heads: int = 0
    experts: int = 0
    embedding: int = 4096
    extra: dict[str, Value] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        return {"layers": self.layers, "heads": self.heads, "kv_heads": self.kv_heads, "experts": self.experts}

    @property
    def metadata(self) -> dict[str, Value]:
        """Every key that one of these architectures insists on; the others ignore it."""
        own: dict[str, Value] = {
            "context_length": 4096,
            "embedding_length": self.embedding,
            "block_count": self.layers,
            "feed_forward_length": 4 * self.embedding,
            "vocab_size": 32000,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "attention.layer_norm_rms_epsilon": 1e-5,
            "attention.layer_norm_epsilon": 1e-5,
            "attention.sliding_window": 512,
            "attention.kv_lora_rank": 512,
            "attention.q_lora_rank": 1536,
            "attention.relative_buckets_count": 32,
            "expert_feed_forward_length": 768,
            "expert_shared_count": 2,
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 2 * self.embedding,
            "ssm.state_size": 16,
            "ssm.time_step_rank": 160,
            "wkv.head_size": 64,
            "time_mix_extra_dim": 32,
            "time_decay_extra_dim": 64,
        }
        if self.experts:
            own |= {"expert_count": self.experts, "expert_used_count": 1}
        named = {f"{self.architecture}.{key}": value for key, value in (own | self.extra).items()}
        return {"general.architecture": self.architecture, "tokenizer.ggml.model": "no_vocab", **named}


def _tensor(name: str, *dims: int) -> Tensor:
    return (name, dims, "F16" if len(dims) > 1 else "F32")


def _attention(at: str, width: int, heads: int, kv_heads: int, length: int) -> Iterator[Tensor]:
    yield _tensor(f"{at}attn_norm.weight", width)
    yield _tensor(f"{at}attn_q.weight", width, heads * length)
    yield _tensor(f"{at}attn_k.weight", width, kv_heads * length)
    yield _tensor(f"{at}attn_v.weight", width, kv_heads * length)
    yield _tensor(f"{at}attn_output.weight", heads * length, width)


def _dense(at: str, width: int, inner: int) -> Iterator[Tensor]:
    yield _tensor(f"{at}ffn_gate.weight", width, inner)
    yield _tensor(f"{at}ffn_up.weight", width, inner)
    yield _tensor(f"{at}ffn_down.weight", inner, width)


def _experts(
    at: str, width: int, inner: int, experts: int, *, split: bool = False, shared: int = 0
) -> Iterator[Tensor]:
    yield _tensor(f"{at}ffn_gate_inp.weight", width, experts)
    parts = (("gate", width, inner), ("up", width, inner), ("down", inner, width))
    for part, row, rows in parts:
        if split:
            yield from (_tensor(f"{at}ffn_{part}.{expert}.weight", row, rows) for expert in range(experts))
        else:
            yield _tensor(f"{at}ffn_{part}_exps.weight", row, rows, experts)
        if shared:
            yield _tensor(f"{at}ffn_{part}_shexp.weight", row * (shared if part == "down" else 1), rows)


def _ends(width: int, vocabulary: int, *, tied: bool) -> Iterator[Tensor]:
    yield _tensor("token_embd.weight", width, vocabulary)
    yield _tensor("output_norm.weight", width)
    if not tied:
        yield _tensor("output.weight", width, vocabulary)


def transformer(
    name: str,
    architecture: str,
    *,
    layers: int,
    width: int,
    inner: int,
    heads: int,
    kv_heads: int,
    length: int = 128,
    experts: int = 0,
    dense_layers: int = 0,
    split: bool = False,
    shared: int = 0,
    tied: bool = False,
    vocabulary: int = 32000,
    extra: dict[str, Value] | None = None,
) -> Stub:
    tensors = [*_ends(width, vocabulary, tied=tied), _tensor("blk.0.attn_q.bias", heads * length)]
    for layer in range(layers):
        at = f"blk.{layer}."
        tensors += _attention(at, width, heads, kv_heads, length)
        if experts and layer >= dense_layers:
            tensors += _experts(at, width, inner, experts, split=split, shared=shared)
        else:
            tensors += _dense(at, width, inner)
    return Stub(name, architecture, tuple(tensors), layers, heads, kv_heads, experts, width, extra or {})


def falcon(name: str, *, layers: int, width: int, heads: int, kv_heads: int) -> Stub:
    tensors = list(_ends(width, 65024, tied=False))
    for layer in range(layers):
        at = f"blk.{layer}."
        tensors.append(_tensor(f"{at}attn_norm.weight", width))
        tensors.append(_tensor(f"{at}attn_qkv.weight", width, width + 2 * kv_heads * 64))
        tensors.append(_tensor(f"{at}attn_output.weight", width, width))
        tensors.append(_tensor(f"{at}ffn_up.weight", width, 4 * width))
        tensors.append(_tensor(f"{at}ffn_down.weight", 4 * width, width))
    return Stub(name, "falcon", tuple(tensors), layers, heads, kv_heads, embedding=width)


def latent_attention(name: str, architecture: str, *, experts: int = 64, layers: int = 27) -> Stub:
    """DeepSeek-V2-Lite and its kin: compressed KV, the first layer dense, shared experts beside the chosen ones."""
    width, heads = 2048, 16
    tensors = list(_ends(width, 102400, tied=False))
    for layer in range(layers):
        at = f"blk.{layer}."
        tensors.append(_tensor(f"{at}attn_q_a.weight", width, 1536))
        tensors.append(_tensor(f"{at}attn_q_b.weight", 1536, heads * 192))
        tensors.append(_tensor(f"{at}attn_q.weight", width, heads * 192))
        tensors.append(_tensor(f"{at}attn_kv_a_mqa.weight", width, 576))
        tensors.append(_tensor(f"{at}attn_kv_a_norm.weight", 512))
        tensors.append(_tensor(f"{at}attn_kv_b.weight", 512, heads * 256))
        tensors.append(_tensor(f"{at}attn_k_b.weight", 128, 512, heads))
        tensors.append(_tensor(f"{at}attn_v_b.weight", 512, 128, heads))
        tensors.append(_tensor(f"{at}attn_output.weight", heads * 128, width))
        tensors.append(_tensor(f"{at}indexer.proj.weight", width, 64))
        tensors.append(_tensor(f"{at}nextn.eh_proj.weight", 2 * width, width))
        tensors += _experts(at, width, 1408, experts, shared=2) if layer else _dense(at, width, 10944)
    return Stub(name, architecture, tuple(tensors), layers, heads, 1, experts, width, {"leading_dense_block_count": 1})


def bert() -> Stub:
    width = 768
    tensors = [
        _tensor("token_embd.weight", width, 30522),
        _tensor("token_types.weight", width, 2),
        _tensor("position_embd.weight", width, 512),
        _tensor("token_embd_norm.weight", width),
    ]
    for layer in range(12):
        tensors += _attention(f"blk.{layer}.", width, 12, 12, 64)
        tensors += _dense(f"blk.{layer}.", width, 3072)
    return Stub("bert-base", "bert", tuple(tensors), 12, 12, 12, embedding=width)


def mamba() -> Stub:
    width, inner = 2560, 5120
    tensors = list(_ends(width, 50280, tied=True))
    for layer in range(64):
        at = f"blk.{layer}."
        tensors.append(_tensor(f"{at}ssm_in.weight", width, 2 * inner))
        tensors.append(_tensor(f"{at}ssm_conv1d.weight", 4, inner))
        tensors.append(_tensor(f"{at}ssm_x.weight", inner, 192))
        tensors.append(_tensor(f"{at}ssm_dt.weight", 160, inner))
        tensors.append(_tensor(f"{at}ssm_a", 16, inner))
        tensors.append(_tensor(f"{at}ssm_out.weight", inner, width))
    return Stub("mamba-2.8b", "mamba", tuple(tensors), 64, embedding=width)


def rwkv() -> Stub:
    width = 2048
    tensors = list(_ends(width, 65536, tied=False))
    for layer in range(24):
        at = f"blk.{layer}."
        tensors.append(_tensor(f"{at}time_mix_w1.weight", width, 160))
        tensors.append(_tensor(f"{at}time_mix_w2.weight", 32, width, 5))
        tensors.append(_tensor(f"{at}time_mix_decay_w1.weight", width, 64))
        tensors.append(_tensor(f"{at}time_mix_first.weight", 64, 32))
        tensors.append(_tensor(f"{at}time_mix_lerp_fused.weight", width, 1, 5))
        tensors.append(_tensor(f"{at}time_mix_key.weight", width, width))
        tensors.append(_tensor(f"{at}channel_mix_value.weight", 7168, width))
    return Stub("rwkv6-1.6b", "rwkv6", tuple(tensors), 24, embedding=width)


def t5() -> Stub:
    width = 1024
    tensors = list(_ends(width, 32128, tied=True))
    for layer in range(24):
        for side in ("enc", "dec"):
            at = f"{side}.blk.{layer}."
            tensors += _attention(at, width, 16, 16, 64)
            tensors.append(_tensor(f"{at}attn_rel_b.weight", 16, 32))
            tensors.append(_tensor(f"{at}cross_attn_v.weight", width, width))
            tensors += _dense(at, width, 2816)
    return Stub("t5-large", "t5", tuple(tensors), 24, 16, 16, embedding=width)


def gemma3n() -> Stub:
    width = 2048
    base = transformer(
        "gemma3n-e2b", "gemma3n", layers=30, width=width, inner=8192, heads=8, kv_heads=2, length=256, tied=True
    )
    extra = [
        _tensor("per_layer_token_embd.weight", 256 * 30, 262144),
        _tensor("per_layer_model_proj.weight", width, 256 * 30),
        _tensor("altup_proj.weight", width, width, 3),
    ]
    for layer in range(30):
        extra.append(_tensor(f"blk.{layer}.laurel_l.weight", width, 64))
        extra.append(_tensor(f"blk.{layer}.inp_gate.weight", width, 256))
        extra.append(_tensor(f"blk.{layer}.proj.weight", 256, width))
    return Stub("gemma3n-e2b", "gemma3n", base.tensors + tuple(extra), 30, 8, 2, embedding=width)


def nemotron() -> Stub:
    """80 layers whose heads differ: only those of the first layer count."""
    base = transformer("deci-80", "deci", layers=80, width=8192, inner=21504, heads=64, kv_heads=8)
    extra: dict[str, Value] = {
        "attention.head_count": [64] * 40 + [0] * 40,
        "attention.head_count_kv": [8] * 40 + [0] * 40,
        "feed_forward_length": [21504] * 80,
    }
    return Stub("deci-80", "deci", base.tensors, 80, 64, 8, embedding=8192, extra=extra)


def models() -> tuple[Stub, ...]:
    """Models that between them reach every choice of the engine's quantizer."""
    t = transformer
    looped = t("nanbeige-loops", "nanbeige", layers=12, width=2048, inner=6144, heads=16, kv_heads=4)
    return (
        t("llama-8b", "llama", layers=32, width=4096, inner=14336, heads=32, kv_heads=8, vocabulary=128256),
        t("llama-70b", "llama", layers=80, width=8192, inner=28672, heads=64, kv_heads=8),
        t("llama-65b", "llama", layers=80, width=2048, inner=5504, heads=16, kv_heads=16),
        t("llama-13b", "llama", layers=40, width=5120, inner=13824, heads=40, kv_heads=40),
        t("llama-3.2-1b", "llama", layers=16, width=2048, inner=8192, heads=32, kv_heads=8, length=64, tied=True),
        t("llama-rows-of-1000", "llama", layers=7, width=1000, inner=3000, heads=10, kv_heads=5, length=100),
        t("llama-rows-of-64", "llama", layers=9, width=832, inner=2240, heads=13, kv_heads=13, length=64),
        t("llama-80-of-8-experts", "llama", layers=80, width=1024, inner=512, heads=16, kv_heads=4, experts=8),
        t("qwen2-0.5b", "qwen2", layers=24, width=896, inner=4864, heads=14, kv_heads=2, length=64, tied=True),
        t("qwen2-72b", "qwen2", layers=80, width=8192, inner=29568, heads=64, kv_heads=8),
        t("llama-embed-80", "llama-embed", layers=80, width=1024, inner=512, heads=8, kv_heads=2),
        t("olmo-80", "olmo", layers=80, width=2048, inner=8192, heads=16, kv_heads=16),
        t("jais2-68", "jais2", layers=68, width=2048, inner=8192, heads=16, kv_heads=4),
        t("gemma3-4b", "gemma3", layers=34, width=2560, inner=10240, heads=8, kv_heads=4, length=256, tied=True),
        t("mixtral", "llama", layers=32, width=4096, inner=14336, heads=32, kv_heads=8, experts=8),
        t("mixtral-split", "llama", layers=9, width=4096, inner=14336, heads=32, kv_heads=8, experts=8, split=True),
        t("four-experts", "llama", layers=24, width=2048, inner=5632, heads=16, kv_heads=16, experts=4),
        t("qwen3moe-30b", "qwen3moe", layers=48, width=2048, inner=768, heads=32, kv_heads=4, experts=128),
        t("gpt-oss-20b", "gpt-oss", layers=24, width=2880, inner=2880, heads=64, kv_heads=8, length=64, experts=32),
        Stub(
            looped.name,
            "nanbeige",
            looped.tensors,
            layers=12,
            heads=16,
            kv_heads=4,
            embedding=2048,
            extra={"num_loops": 3},
        ),
        latent_attention("deepseek-v2-lite", "deepseek2"),
        falcon("falcon-7b", layers=32, width=4544, heads=71, kv_heads=1),
        falcon("falcon-40b", layers=60, width=8192, heads=128, kv_heads=8),
        bert(),
        mamba(),
        rwkv(),
        t5(),
        gemma3n(),
        nemotron(),
    )
