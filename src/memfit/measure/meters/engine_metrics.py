"""What a serving engine says of itself: ``/metrics`` (llama-server with ``--metrics``) and ``/slots``.

Names: ``server_task_result_metrics::to_metrics`` and ``server_slot::to_json`` in llama.cpp's ``tools/server`` at
0c1e57098; those with ``kv_cache`` are of older servers. Everything is optional: a server may be built or
started without either, and one that computes a long prompt answers only after it.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

from memfit.measure.meters._meter import Meter, Series, Values, Watched

if TYPE_CHECKING:
    from memfit.measure.meters._endpoint import Endpoint

_METRICS = {
    "prompt_tokens_total": Series("prompt", "tokens"),
    "tokens_predicted_total": Series("generated", "tokens"),
    "prompt_tokens_seconds": Series("prompt_speed", "tokens_per_s"),
    "predicted_tokens_seconds": Series("decode_speed", "tokens_per_s"),
    "n_tokens_max": Series("longest_sequence", "tokens"),
    "requests_processing": Series("requests_processing", "count"),
    "requests_deferred": Series("requests_deferred", "count"),
    "kv_cache_usage_ratio": Series("kv_cache_used", "ratio"),
    "kv_cache_tokens": Series("kv_cache", "tokens"),
}
BUSY = Series("slots_busy", "count")
HELD = Series("held_in_slots", "tokens")
_LINE = re.compile(r"llamacpp:([a-z0-9_]{1,64})(?:\{[^}]{0,256}\})?\s+(\S{1,40})", re.ASCII)


def parse_metrics(text: str) -> dict[Series, float]:
    """The known figures of a text in Prometheus's format; comments, other names and what is no number are left out."""
    values: dict[Series, float] = {}
    for line in text.splitlines():
        found = _LINE.match(line)
        series = _METRICS.get(found[1]) if found else None
        if found is None or series is None:
            continue
        with contextlib.suppress(ValueError):
            number = float(found[2])
            if math.isfinite(number):
                values[series] = number
    return values


def parse_slots(text: str) -> dict[Series, float]:
    """How many slots compute, and the tokens that all of them hold; nothing of an answer that is no list of slots."""
    try:
        slots: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(slots, list) or not slots or not all(isinstance(slot, dict) for slot in slots):
        return {}
    values: dict[Series, float] = {BUSY: sum(slot.get("is_processing") is True for slot in slots)}
    held = [slot["n_prompt_tokens"] for slot in slots if type(slot.get("n_prompt_tokens")) is int]
    if held:
        values[HELD] = sum(held)
    return values


class _Reader:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def read(self) -> Values:
        return {**parse_slots(self._endpoint.get("/slots")), **parse_metrics(self._endpoint.get("/metrics"))}

    def close(self) -> None:
        self._endpoint.close()


def _open(watched: Watched) -> _Reader | None:
    if watched.endpoint is None:
        return None
    from memfit.measure.meters._endpoint import Endpoint  # http.client takes 5 MiB

    try:
        return _Reader(Endpoint(watched.endpoint))
    except ValueError:  # no address: whoever drives the engine there will say so
        return None


METER = Meter(
    summary="tokens, speeds and slots as the engine's server tells them",
    units=("tokens", "tokens_per_s", "count", "ratio"),
    interval_s=1.0,
    waits=True,
    open=_open,
)
