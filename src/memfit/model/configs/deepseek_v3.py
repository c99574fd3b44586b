"""DeepSeek V3: latent attention caches one compressed row, experts beside shared ones."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    experts,
)
from memfit.model.configs._latent import latent_adjust, latent_loadable, latent_metadata, read_latent
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied


def read(config: Section) -> Checkpoint:
    """Latent attention in every layer; dense feed-forwards first, then experts.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(
        config, layers=61, width=7168, feed_forward=18432, heads=128, kv_heads=128, vocabulary=129280, context=4096
    )

    count, used = experts(config, "n_routed_experts", "num_local_experts", default=256, active=8)
    dense = config.integer("first_k_dense_replace", default=3, least=0)
    latent = read_latent(config)
    metadata = latent_metadata(sizes, latent) | {
        "leading_dense_block_count": dense,
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": config.integer("moe_intermediate_size", default=2048),
        "expert_shared_count": config.integer("n_shared_experts", default=1),
    }
    attention = ("attn_q_a", "attn_kv_a_mqa", "attn_output") if config.flag("attention_bias") else ()

    biases = attention
    return text(
        config,
        "deepseek2",
        metadata,
        tied=tied(config, default=False),
        optional=("exp_probs_b.bias",),
        biases=biases,
        adjust=latent_adjust(sizes, latent),
        loadable=not biases and latent_loadable(sizes, latent),
    )


CONFIG = Config(
    model_type="deepseek_v3",
    summary="DeepSeek V3, R1, Kimi K2",
    source=transformers("deepseek_v3"),
    read=read,
    aliases=("kimi_k2",),
)
