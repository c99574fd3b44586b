"""Formats of the KV cache beside those of weights: a device's memory is one, and both compete for the same bytes."""

from __future__ import annotations

from memfit.search.base import Base
from memfit.search.budget import Destination, room
from memfit.search.choose import Search
from memfit.search.records import CacheChoice
from memfit.search.session import Session

# of K and V, most first; V is the more robust of the two (KL of both at q8_0: 0.00098 on Llama-3-8B, llama.cpp#7412)
KINDS = (("F16", "F16"), ("Q8_0", "Q8_0"), ("Q8_0", "Q4_0"), ("Q4_0", "Q4_0"))


def choose_cache(base: Base, session: Session, search: Search, place: Destination) -> tuple[CacheChoice, ...]:
    """What each choice of formats leaves for the file, and what both together are predicted to cost; best first.

    The cache's own cost is measured with the base and the real kernels; the weights' is the best mix's in the room that
    is left.

    Raises:
        MemfitError: the device or the model cannot be sized.
    """
    found = []
    for kv in KINDS:
        left = room(base, place, kv)
        mix = search.within_bytes(left)
        if mix is None:
            continue
        cost = 0.0 if kv == KINDS[0] else session.cache_cost(kv)
        if cost is None:
            continue
        both = (mix.predicted_kl or 0.0) + cost
        found.append(CacheChoice(k=kv[0], v=kv[1], max_bytes=left, cache_kl=cost, predicted_kl=both))
    return tuple(sorted(found, key=lambda one: one.predicted_kl))
