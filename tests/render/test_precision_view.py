"""What a search says where nothing is as fast as was asked."""

from __future__ import annotations

import io

import msgspec
from precision_samples import NOTHING_HOLDS

from memfit.engine.predictions import Speed
from memfit.render import render


def test_what_is_too_slow_is_said_with_its_speed() -> None:
    slow = Speed(prefill_tokens_per_s=256.0, decode_tokens_per_s=4.5)
    candidates = tuple(msgspec.structs.replace(one, speed=slow) for one in NOTHING_HOLDS.candidates)
    record = msgspec.structs.replace(NOTHING_HOLDS, candidates=candidates)
    said = " ".join(str(render(record, "terminal", stream=io.StringIO())).split())
    assert said.count("too slow: 4.5 tokens/s") >= 1
    assert "too slow: first token after 2 s" in said
