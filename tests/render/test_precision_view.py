"""What a search says where nothing is as fast, or as small, as was asked."""

from __future__ import annotations

import io

import msgspec
from precision_samples import NOTHING_HOLDS

from memfit.engine.predictions import Speed
from memfit.render import render
from memfit.search.records import Asked


def test_what_is_too_slow_is_said_with_its_speed() -> None:
    slow = Speed(prefill_tokens_per_s=256.0, decode_tokens_per_s=4.5)
    candidates = tuple(msgspec.structs.replace(one, speed=slow) for one in NOTHING_HOLDS.candidates)
    record = msgspec.structs.replace(NOTHING_HOLDS, candidates=candidates)
    said = " ".join(str(render(record, "terminal", stream=io.StringIO())).split())
    assert said.count("too slow: 4.5 tokens/s") >= 1
    assert "too slow: first token after 2 s" in said


def test_what_is_too_large_is_said_with_the_budget() -> None:
    record = msgspec.structs.replace(NOTHING_HOLDS, asked=Asked(max_bytes=2 << 20))
    said = " ".join(str(render(record, "terminal", stream=io.StringIO())).split())
    assert "nearest is Q3_K_M with 3.0 MiB (" in said
    assert "2.0 MiB were asked)" in said


def test_a_ladder_that_is_too_slow_is_no_table_without_a_question() -> None:
    slow = Speed(prefill_tokens_per_s=256.0, decode_tokens_per_s=4.5)
    candidates = tuple(msgspec.structs.replace(one, speed=slow) for one in NOTHING_HOLDS.candidates)
    record = msgspec.structs.replace(NOTHING_HOLDS, asked=Asked(min_tokens_per_s=20.0), candidates=candidates)
    said = " ".join(str(render(record, "terminal", stream=io.StringIO())).split())
    assert "would choose one" not in said
    assert "too slow: 4.5 tokens/s" in said
