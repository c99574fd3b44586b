"""What "runs" means under a limit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from memfit.engine.records import Buffer, Deployment, Workload
from memfit.measure.judge import LEAST_SPEED, MOST_REFAULTED_SHARE, SLOWING_SHARE, cannot_tell, refaulted_share, runs
from memfit.measure.records import EngineIdentity, Limit, Machine, Observation, Paging, Phase
from memfit.units import GIB, MIB

WEIGHTS = 1000 * 4096


def phase(name: str, **figures: Any) -> Phase:
    return Phase(name=name, at_s=1.0, pss_bytes=GIB, anonymous_bytes=0, file_bytes=0, **figures)


RUN = Observation(
    began="2026-01-01T00:00:00+00:00",
    duration_s=10.0,
    outcome="completed",
    machine=Machine(key="board", cpu="cpu", kernel="6.8", total_bytes=8 * GIB, threads=6),
    engine=EngineIdentity(name="llama_cpp", version="0c1e570", backend="cpu"),
    deployment=Deployment(model="m.gguf"),
    workload=Workload(),
    limit=Limit(mechanism="cgroup_v2", limit_bytes=2 * GIB),
    phases=(phase("loaded", refaults=5000), phase("prompt", tokens=512, refaults=9000), phase("decode", tokens=10)),
    paging=Paging(refaults=14000, refaults_scope="cgroup"),
    peak_pss_bytes=GIB,
    unevictable_bytes=GIB,
    buffers=(Buffer(term="weights", name="CPU", reserved_bytes=WEIGHTS),),
    decode_tokens_per_s=10.0,
)


def changed(**fields: Any) -> Observation:
    return msgspec.structs.replace(RUN, **fields)


def refaulting(pages: int, *, users: int = 1, tokens: int = 10, **fields: Any) -> Observation:
    phases = (phase("loaded"), phase("decode", tokens=tokens, refaults=pages))
    return changed(phases=phases, workload=Workload(users=users), **fields)


def test_a_run_that_was_left_alone_runs() -> None:
    assert runs(RUN) == (True, "it was neither killed nor paged; its speed is not judged")
    assert runs(RUN, [10.0])[0]


@pytest.mark.parametrize("outcome", ["killed", "failed", "hung", "interrupted", "running"])
def test_what_did_not_complete_does_not_run_and_says_why(outcome: Any) -> None:
    assert runs(changed(outcome=outcome, reason="the kernel killed it")) == (False, "the kernel killed it")
    assert runs(changed(outcome=outcome))[0] is False


def test_a_killed_helper_process_counts() -> None:
    assert runs(changed(paging=Paging(oom_kills=1)))[0] is False


def test_reading_in_the_prompt_is_paid_once_and_does_not_count() -> None:
    assert refaulted_share(RUN) == 0.0


def test_the_share_is_of_the_weights_and_for_each_pass_over_them() -> None:
    most = int(MOST_REFAULTED_SHARE * 1000 * 10)  # pages, over ten passes
    assert refaulted_share(refaulting(most)) == pytest.approx(MOST_REFAULTED_SHARE)
    assert runs(refaulting(most))[0] is True
    good, reason = runs(refaulting(most + 1))
    assert not good
    assert "paging" in reason
    # one pass gives every user a token
    assert runs(refaulting(most, users=2))[0] is False
    assert runs(refaulting(most, users=2, tokens=20))[0] is True


def test_rounds_of_a_soak_count_too_and_the_first_only_once() -> None:
    phases = (
        phase("decode", tokens=10, refaults=100),
        phase("round 1", tokens=10),
        phase("round 2", tokens=10, refaults=100),
    )
    assert refaulted_share(changed(phases=phases)) == pytest.approx(200 / 20 / 1000)


def test_counts_of_the_whole_machine_are_named() -> None:
    seen = refaulting(500, paging=Paging(refaults_scope="machine"))
    assert "whole machine" in runs(seen)[1]
    assert refaulted_share(refaulting(500, paging=Paging(refaults_scope="none"))) is None


def test_without_known_weights_the_peak_stands_for_them() -> None:
    seen = refaulting(1000, buffers=(), peak_pss_bytes=100 * 4096)
    assert refaulted_share(seen) == pytest.approx(1.0)


def test_nothing_generated_is_not_judged_by_it() -> None:
    assert refaulted_share(changed(phases=(phase("prompt", tokens=512, refaults=10**6),))) is None


def test_speed_against_the_unlimited_runs() -> None:
    assert runs(RUN, [10.0 / LEAST_SPEED])[0] is True
    slow, reason = runs(RUN, [10.0 / LEAST_SPEED + 0.1] * 2)
    assert slow is False
    assert "79%" in reason
    assert runs(changed(decode_tokens_per_s=None), [10.0])[0] is True


def test_one_run_without_a_limit_is_no_measure_of_a_slow_one() -> None:
    good, reason = runs(RUN, [13.3])
    assert good
    assert reason == "it was neither killed nor paged; its speed is not judged: 75% of one run without a limit"
    good, reason = runs(RUN, [13.0, 17.0])
    assert good
    assert "60%" not in reason
    assert "67% of runs without a limit that differ (13 and 17 tokens/s)" in reason
    assert runs(RUN, [13.0, 14.0])[0] is False
    assert runs(RUN, [13.0, 14.0, 30.0])[0] is False  # most agree
    assert runs(RUN, [11.0])[1] == "neither killed nor paged, at 91% of its unlimited speed"


def test_pages_that_were_read_again_explain_a_low_speed() -> None:
    some = int(SLOWING_SHARE * 1000 * 10)
    assert runs(refaulting(some), [20.0])[0] is True
    good, reason = runs(refaulting(some + 1), [20.0])
    assert not good
    assert reason == "it decodes at 50% of its unlimited speed, below 80%, and reads pages again"


def test_a_model_that_others_hold_in_memory_for_it_tells_nothing_of_a_limit() -> None:
    held = {"charged_elsewhere_bytes": 900 * MIB, "peak_limit_bytes": int(1.5 * GIB)}
    good, reason = runs(changed(**held), [10.0])
    assert (good, cannot_tell(changed(**held))) == (False, True)
    assert "900.0 MiB of the model were held by another process" in reason
    assert "--load-mode none" in reason
    # with room for it beside what was charged, it runs all the same
    assert runs(changed(**{**held, "peak_limit_bytes": GIB}), [])[0] is True
    assert runs(changed(**{**held, "charged_elsewhere_bytes": 90 * MIB}))[0] is True
    assert runs(changed(**held, limit=Limit(mechanism="cgroup_v2")))[0] is True
    # that it paged in spite of it, or was killed, is told
    assert "paging" in runs(refaulting(5000, **held))[1]
    assert not cannot_tell(refaulting(5000, **held))


def test_a_limit_that_nothing_enforced() -> None:
    watched = Limit(mechanism="none", limit_bytes=GIB + MIB)
    assert runs(changed(limit=watched))[0] is True
    told, reason = runs(changed(limit=watched, peak_pss_bytes=GIB + 2 * MIB))
    assert told is False
    assert "cannot be told" in reason
