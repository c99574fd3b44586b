"""What ``tools/soak.py`` is made of: draws, decisions, picks, a book that survives, a folder with a budget."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memfit.device import Device
from memfit.engine._llama_cpp.terms import LIBRARY_SHARE
from memfit.engine.records import Options
from memfit.errors import MemfitError
from memfit.footprint.estimate import estimate_deployment
from memfit.units import GIB, MIB

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from headroom import let_in, of_accuracy, of_soak
from soaking import headroom
from soaking.book import Book, Setting
from soaking.decide import Decision, decide, deployment_of, engine_instructions, this_machine
from soaking.draw import Drawn, cards, draw
from soaking.files import Files
from soaking.near import near
from soaking.pick import cost_s, pick
from soaking.real import Run, by_todays_rules
from soaking.table import table

SETTING = Setting(seed=1, memfit="0", engine="made up", machine="made-up", read_ahead_bytes=128 * 1024)


def decision(index: int, said: str = "fits", oracle: str | None = None, **options: Any) -> Decision:
    options = {"context_tokens": 2048, **options}
    return Decision(
        drawn=Drawn(index=index, card="smollm2_1_7b", format="Q8_0", options=Options(**options), limit_bytes=4 * GIB),
        said=said,
        oracle=oracle or said,
        required_bytes=2 * GIB,
        oracle_required_bytes=2 * GIB,
        weights_bytes=GIB,
    )


def done(index: int, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "index": index,
        "card": "smollm2_1_7b",
        "format": "Q8_0",
        "said": "fits",
        "verdict": "within",
        "runs": True,
        "full": False,
        "limit_bytes": 4 * GIB,
        "mechanism": "cgroup_v2",
        "observed_bytes": 1010 * MIB,
        "likely_bytes": 1000 * MIB,
        "high_bytes": 1100 * MIB,
    }
    return Run(**{**fields, **changes})


def test_the_same_seed_draws_the_same() -> None:
    assert draw(3, 17) == draw(3, 17)
    assert draw(3, 17) != draw(4, 17)
    assert len({draw(3, index).card for index in range(60)}) > 20


def test_the_cards_are_those_of_half_a_billion_to_eight() -> None:
    assert {"llama_3_1_8b", "qwen2_5_0_5b", "falcon_mamba_7b"} <= set(cards())
    assert not {"llama_3_3_70b", "smollm2_135m", "nomic_embed_text_v1_5"} & set(cards())


@pytest.mark.parametrize("index", range(25))
def test_what_is_drawn_is_taken_by_the_engine_and_by_memfit(index: int) -> None:
    drawn = draw(7, index)
    assert GIB <= drawn.limit_bytes <= 8 * GIB
    footprint = estimate_deployment(deployment_of(drawn), source="formula", relief=False, calibration=None)
    assert footprint.high_bytes > footprint.model.weights_bytes // 2


def test_a_decision_has_both_answers() -> None:
    from memfit.engine._llama_cpp import oracle

    if not oracle.is_installed():
        pytest.skip("no engine to ask")
    found = decide(draw(1, 2), this_machine(engine_instructions()))
    assert found.said in ("fits", "tight", "no")
    assert found.agree
    assert found.required_bytes == pytest.approx(found.oracle_required_bytes, rel=0.03)


def test_picks_hold_every_verdict_and_full_contexts_and_are_repeatable() -> None:
    decisions = [decision(index, said) for index, said in enumerate(("fits", "no", "tight", "fits") * 20)]
    decisions += [decision(100, "fits", "no"), decision(101, "refused")]
    picks = pick(decisions, 30, 4, seed=1)
    assert picks == pick(decisions, 30, 4, seed=1)
    assert len({one.decision.drawn.index for one in picks}) == len(picks) == 30
    assert sum(one.full for one in picks) == 4
    assert {one.decision.said for one in picks} == {"fits", "no", "tight"}
    assert not {100, 101} & {one.decision.drawn.index for one in picks}  # no agreement, nothing to run


def test_a_full_context_costs_more() -> None:
    assert cost_s(decision(0), full=True) > cost_s(decision(0), full=False)


def test_a_book_goes_on_where_it_ended(tmp_path: Path) -> None:
    book = Book(tmp_path / "soak.jsonl", SETTING)
    book.add(decision(3))
    book.add(done(3))
    with book.path.open("ab") as file:
        file.write(b'{"type":"run","index":4,"ca')  # the power went
    again = Book(book.path, SETTING)
    assert again.decisions == {3: decision(3)}
    assert again.runs == {3: done(3)}
    again.add(done(5))
    assert set(Book(book.path, SETTING).runs) == {3, 5}


def test_a_book_of_another_seed_is_not_mixed(tmp_path: Path) -> None:
    Book(tmp_path / "soak.jsonl", SETTING)
    with pytest.raises(SystemExit, match="--results another file"):
        Book(tmp_path / "soak.jsonl", msgspec.structs.replace(SETTING, seed=2))


def test_files_make_room_by_last_use_and_touch_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(model: str, path: Path, *, format: str) -> None:
        path.write_bytes(bytes(40 * 1024))

    monkeypatch.setattr("soaking.files.fabricate", made)
    (tmp_path / "notes.txt").write_text("mine")
    files = Files(tmp_path, (64 << 20) + 100 * 1024)
    first = files.get("qwen3_4b", "Q4_0", 10 * 1024)
    second = files.get("qwen3_4b", "Q8_0", 10 * 1024)
    os.utime(second, (1, 1))
    os.utime(first, (2, 2))
    assert files.get("qwen3_4b", "Q4_0", 10 * 1024) == first  # used now
    files.get("qwen3_4b", "Q6_K", 30 * 1024)
    assert first.exists()
    assert not second.exists()
    assert (tmp_path / "notes.txt").exists()
    with pytest.raises(MemfitError, match="above the budget"):
        files.get("qwen3_4b", "F16", GIB)


def rows(decisions: list[Decision], runs: list[Run]) -> dict[str, str]:
    lines = [line.split("|") for line in table(decisions, runs).splitlines() if line.startswith("| ")]
    return {line[1].strip(): line[2].strip() for line in lines}


def test_the_table_counts_what_was_wrong() -> None:
    decisions = [decision(0), decision(1, "no"), decision(2, "fits", "no")]
    runs = [
        done(0),
        done(1, said="fits", runs=False, verdict="killed", why="killed"),
        done(2, said="no", runs=False, verdict="killed"),
        done(3, said="no", runs=True),
        done(4, said="tight", runs=False, verdict="paged", full=True),
        done(5, observed_bytes=1200 * MIB, verdict="over"),
        done(6, observed_bytes=3700 * MIB, likely_bytes=3700 * MIB, high_bytes=4000 * MIB, pressed=True),
    ]
    text = table(decisions, runs)
    found = rows(decisions, runs)
    assert found["the engine's own reservation leads to the same verdict"] == "2 of 3"
    assert found["run for real"] == "7, 1 with a full context"
    assert found["said to fit, and did not run"] == "1 of 4"
    assert found["refused, tried by force, and ran"] == "1 of 2"
    assert found["of those: held 90 % of their limit or more; reached it, page cache included"] == "1; 1"
    assert found["observed peak above high"] == "1"
    assert "- 1 (smollm2_1_7b Q8_0): said to fit 4096 MiB, and killed: killed" in text
    assert "- 2 (smollm2_1_7b Q8_0): fits by formula, no by the engine" in text


def test_false_refusals_are_of_all_that_was_refused() -> None:
    decisions = [decision(index, "no") for index in range(40)]
    tried = [done(index, said="no", runs=index == 3) for index in range(8)]
    close = {0, 1, 2, 3}

    def said(runs: list[Run]) -> dict[str, str]:
        lines = [line.split("|") for line in table(decisions, runs, close).splitlines() if line.startswith("| ")]
        return {line[1].strip(): line[2].strip() for line in lines}

    # one of the four near their limit ran, none of four others: one of forty
    assert said(tried)["false refusals, of all refused"] == (
        "2.5% (1 of 4 near their limit; 0 of 4 others tried, which stand for 32 that were not)"
    )
    # a far one that ran stands for all the far ones
    ran_far = [*tried[:7], done(7, said="no", runs=True)]
    assert said(ran_far)["false refusals, of all refused"].startswith("25.0%")
    assert said(tried[2:])["of those near their limit still to be tried"] == "2"


def test_a_slow_run_is_told_by_the_rules_of_today() -> None:
    slow = done(
        0,
        said="no",
        verdict="paged",
        runs=False,
        pressed=True,
        refaults=600,
        decode_tokens_per_s=1.5,
        unlimited_decode_tokens_per_s=2.0,
        why="it decodes at 75% of its unlimited speed, below 80%",
    )
    told = by_todays_rules(slow)
    assert (told.verdict, told.runs) == ("within", True)
    assert "its speed is not judged: 75% of one run without a limit" in told.why
    assert rows([decision(0, "no")], [slow])["refused, tried by force, and ran"] == "1 of 1"
    assert f"and it ran: {told.why}" in table([], [slow])
    # what was read again explains it, two runs agreed, or it was killed: it stays as it is
    for kept in (
        {"refaults": 10**6},
        {"rules": 2},
        {"verdict": "killed", "why": "killed"},
        {"why": "5.9% of its weights"},
    ):
        other = msgspec.structs.replace(slow, **kept)
        assert by_todays_rules(other) == other


def test_a_decision_is_made_with_todays_room_for_what_no_term_names() -> None:
    kept = 4000 * MIB  # and 40 beside it, by the rules of then
    was = msgspec.structs.replace(
        decision(0, "no"),
        kept_bytes=int(kept * 1.01),
        required_bytes=int(kept * 1.01),
        oracle_required_bytes=int(kept * 1.01),
    )
    close = msgspec.structs.replace(was, drawn=msgspec.structs.replace(was.drawn, limit_bytes=4025 * MIB))
    now = headroom.by_todays_rules(close)
    assert (now.said, now.oracle, now.agree) == ("fits", "fits", True)
    assert now.kept_bytes == pytest.approx(kept * 1.005, abs=2)
    assert headroom.by_todays_rules(now) == now
    far = msgspec.structs.replace(was, drawn=msgspec.structs.replace(was.drawn, limit_bytes=4010 * MIB))
    assert headroom.by_todays_rules(far).said == "no"
    small = msgspec.structs.replace(was, kept_bytes=500 * MIB)  # of which the least is kept, then and now
    assert headroom.by_todays_rules(small) == small
    run = done(0, said="no", runs=True, limit_bytes=4025 * MIB, required_bytes=was.required_bytes)
    assert by_todays_rules(run, close).said == "fits"
    assert by_todays_rules(msgspec.structs.replace(run, limit_bytes=4010 * MIB), far).said == "no"


def test_no_run_on_record_took_more_than_the_room_that_is_kept() -> None:
    for runs in (of_accuracy(), of_soak()):
        assert len(runs) > 30
        assert [one.name for one in runs if not one.is_held(LIBRARY_SHARE)] == []
    assert let_in(LIBRARY_SHARE) == []


def test_a_table_of_another_machine_can_be_made_and_nothing_added(tmp_path: Path) -> None:
    Book(tmp_path / "soak.jsonl", SETTING).add(done(3))
    before = (tmp_path / "soak.jsonl").read_bytes()
    assert set(Book(tmp_path / "soak.jsonl", None).runs) == {3}
    assert (tmp_path / "soak.jsonl").read_bytes() == before
    assert not Book(tmp_path / "none.jsonl", None).runs
    assert not (tmp_path / "none.jsonl").exists()


def test_refusals_near_their_limit_are_found() -> None:
    here = Device(
        name="this machine", unified=False, capacity_bytes=GIB, instructions=("avx2",), grade="stated", source="made up"
    )
    drawn = draw(7, 3)
    device = msgspec.structs.replace(here, name="limit")
    footprint = estimate_deployment(
        deployment_of(drawn), device=device, source="formula", relief=False, calibration=None
    )
    likely = footprint.likely_bytes - footprint.evictable_bytes

    def decided(limit_bytes: int, said: str = "no") -> Decision:
        return Decision(drawn=msgspec.structs.replace(drawn, limit_bytes=limit_bytes), said=said, oracle=said)

    decisions = [decided(likely), decided(likely // 2), decided(likely, "fits")]
    assert [one.decision for one in near(decisions, here)] == [decided(likely)]


def test_a_soak_without_runs_still_has_a_table() -> None:
    assert rows([], [])["run for real"] == "0, 0 with a full context"
