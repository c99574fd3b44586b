"""Floors as people write them, and when they hold."""

from __future__ import annotations

import pytest

from memfit.errors import UsageError
from memfit.search.floors import held, parse_floor
from memfit.search.records import Quality, TaskResult

QUALITY = Quality(
    kl_mean=0.025,
    kl_ci95=(0.022, 0.028),
    perplexity=10.0,
    perplexity_ci95=(9.0, 11.0),
    base_perplexity=9.9,
    perplexity_ratio_ci95=(1.002, 1.018),
    tokens=1000,
)
TASK = TaskResult(file="q.jsonl", sha256="", tasks=200, right=150, base_right=153, lost=5, won=2, p_value=0.45)


@pytest.mark.parametrize(
    ("written", "kind", "most"),
    [
        ("kl=0.03", "kl", 0.03),
        ("kl = 3e-2", "kl", 0.03),
        ("ppl=+2%", "ppl", 0.02),
        ("ppl=1.5 %", "ppl", 0.015),
        ("task:a=b.jsonl=-1pt", "task", 0.01),
        ("task:/x/y.jsonl=2.5pt", "task", 0.025),
    ],
)
def test_floors_are_read(written: str, kind: str, most: float) -> None:
    floor = parse_floor(written)
    assert floor.kind == kind
    assert floor.most == pytest.approx(most)


def test_the_file_of_a_task_may_hold_an_equals_sign() -> None:
    assert parse_floor("task:a=b.jsonl=-1pt").file == "a=b.jsonl"


@pytest.mark.parametrize(
    "written", ["", "kl", "kl=", "kl=0", "kl=-1", "kl=nan", "ppl=2", "task:=-1pt", "bits=4", "kl=1e"]
)
def test_what_is_no_floor_is_refused_with_examples(written: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_floor(written)
    assert "kl=0.03" in (refused.value.hint or "")


def test_divergence_and_perplexity_count_with_the_upper_end_of_their_interval() -> None:
    floors = [parse_floor(one) for one in ("kl=0.028", "kl=0.027", "ppl=+1.8%", "ppl=+1.7%")]
    assert [one.holds for one in held(floors, QUALITY, ())] == [True, False, True, False]


def test_tasks_count_as_they_were_answered() -> None:
    floors = [parse_floor(f"task:q.jsonl=-{most}pt") for most in ("1.5", "1.4")]
    assert [one.holds for one in held(floors, QUALITY, (TASK,))] == [True, False]


def test_a_measurement_without_an_interval_holds_nothing() -> None:
    alone = Quality(perplexity=10.0, perplexity_ci95=(1.0, 100.0), tokens=256)
    assert not held([parse_floor("kl=1")], alone, ())[0].holds
