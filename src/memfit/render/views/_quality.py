"""Words for quality that views share."""

from __future__ import annotations

from memfit.search.records import Quality


def percent(share: float | None) -> str:
    """``97.31 %``."""
    return "" if share is None else f"{share:.2%}".replace("%", " %")


def kl_words(quality: Quality) -> str:
    """``0.0269 nats a token, 0.0259 to 0.0280``."""
    if quality.kl_mean is None or quality.kl_ci95 is None:
        return ""
    low, high = quality.kl_ci95
    return f"{quality.kl_mean:.4g} nats a token, {low:.4g} to {high:.4g}"


def ratio_words(quality: Quality) -> str:
    """The perplexity beside the base's: ``+2.14 %, +1.60 % to +2.68 %``."""
    if quality.perplexity_ratio_ci95 is None or quality.base_perplexity is None:
        return ""
    change = quality.perplexity / quality.base_perplexity - 1
    low, high = (one - 1 for one in quality.perplexity_ratio_ci95)
    return f"{change:+.2%}, {low:+.2%} to {high:+.2%}".replace("%", " %")
