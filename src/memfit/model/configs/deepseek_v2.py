"""DeepSeek V2: latent attention caches one compressed row, experts beside shared ones."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._fields import (
    GATED,
    experts,
)
from memfit.model.configs._latent import latent_adjust, latent_loadable, latent_metadata, read_latent
from memfit.model.configs._section import Section
from memfit.model.configs._text import read_sizes, text, tied

MLP = (*GATED, "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp")


def read(config: Section) -> Checkpoint:
    """Latent attention in every layer; dense feed-forwards first, then experts.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    sizes = read_sizes(config, layers=32, width=4096, feed_forward=11008, heads=32, vocabulary=102400, context=2048)
    # the class gives a token no experts where the config does not; the released models give it six
    count, used = experts(config, "n_routed_experts", "num_experts", default=64, active=6)
    dense = config.integer("first_k_dense_replace", default=0, least=0)
    latent = read_latent(config)
    metadata = latent_metadata(sizes, latent) | {
        "leading_dense_block_count": dense,
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": config.integer("moe_intermediate_size", default=1407),
        "expert_shared_count": config.integer("n_shared_experts", default=2),
    }
    attention = ("attn_q_a", "attn_kv_a_mqa", "attn_output") if config.flag("attention_bias") else ()
    feed_forward = MLP if config.flag("mlp_bias") else ()
    biases = (*attention, *feed_forward)
    return text(
        config,
        "deepseek2",
        metadata,
        tied=tied(config, default=False),
        biases=biases,
        adjust=latent_adjust(sizes, latent),
        loadable=not biases and latent_loadable(sizes, latent),
    )


CONFIG = Config(
    model_type="deepseek_v2",
    summary="DeepSeek V2, V2-Lite, Coder-V2",
    source=transformers("deepseek_v2"),
    read=read,
)
