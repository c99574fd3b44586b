"""What came nearest where nothing holds."""

from __future__ import annotations

from memfit.engine.predictions import Speed
from memfit.search.conclude import nearest
from memfit.search.floors import parse_floor
from memfit.search.records import Asked, Candidate, Held, Quality

QUALITY = Quality(kl_mean=0.01, perplexity=2.0, perplexity_ci95=(2.0, 2.0), tokens=10)


def named(known: list[Candidate], asked: Asked) -> str | None:
    found = nearest(known, asked)
    return None if found is None else found.name


def timed(name: str, size: int, prefill: float, decode: float) -> Candidate:
    speed = Speed(prefill_tokens_per_s=prefill, decode_tokens_per_s=decode)
    return Candidate(name=name, bytes=size, quality=QUALITY, speed=speed)


def test_the_nearest_is_told_by_speed_where_speed_is_what_is_missed() -> None:
    known = [timed("small", 1, 100, 10), timed("fast", 2, 200, 20), timed("eager", 3, 400, 5)]
    assert named(known, Asked(max_bytes=9, min_tokens_per_s=30)) == "fast"
    assert named(known, Asked(max_bytes=9, max_ttft_s=0.1)) == "eager"
    assert named(known, Asked(max_bytes=9)) == "small"


def test_of_those_that_hold_the_smallest_is_nearest_to_a_budget() -> None:
    floor = parse_floor("kl=0.03")

    def holding(name: str, size: int, kl: float) -> Candidate:
        held = Held(floor=floor.written, measured=kl, holds=kl <= floor.most)
        return Candidate(name=name, bytes=size, quality=QUALITY, held=(held,))

    known = [holding("Q8_0", 80, 0.001), holding("Q5_K_M", 50, 0.01), holding("Q2_K", 20, 0.3)]
    assert named(known, Asked(floors=(floor,), max_bytes=30)) == "Q5_K_M"
