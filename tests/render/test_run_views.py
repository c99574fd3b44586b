"""What the views of kept runs say, and that their figures are those of the record."""

from __future__ import annotations

import msgspec
import pytest

from memfit.measure.history import Runs, compare_runs
from memfit.measure.records import Limit, Observation, Phase, Sample
from memfit.render import find_view, render
from memfit.render.document import Bullets, Command, Details, Document, Facts, Headline, Note, Table, Timeline
from memfit.units import GIB, MIB
from runs_kept import CUT_RUN, KILLED_RUN, RUN, SUMMARIES, observation, summary

replace = msgspec.structs.replace


def show(record: msgspec.Struct, view: str | None = None) -> Document:
    return find_view(type(record), view).document(record)


def headline(record: msgspec.Struct) -> Headline:
    found = show(record).blocks[0]
    assert isinstance(found, Headline)
    return found


def table(document: Document, title: str) -> Table:
    return next(block for block in document.blocks if isinstance(block, Table) and block.title.startswith(title))


def rows(shown: Table) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in shown.rows}


def picture(document: Document) -> Timeline:
    return next(block for block in document.blocks if isinstance(block, Timeline))


def test_outcomes_in_words() -> None:
    assert headline(RUN) == Headline(
        "completed", "ok", "1.07 GiB at the peak · prompt 210.0 tokens/s · decode 16.0 tokens/s"
    )
    assert headline(KILLED_RUN) == Headline(
        "killed", "bad", "the kernel killed it at the limit; 1000.0 MiB at the peak"
    )
    assert (
        headline(CUT_RUN).sentence
        == "how it ended was not written: memfit ended before it did, or the disk was full; what it held is not known"
    )
    assert headline(observation(outcome="running")).sentence == "since 2026-11-25T10:00:00+00:00"
    assert headline(observation(outcome="hung", reason="")).sentence.startswith("no reason was kept")


def test_nothing_is_shown_of_a_run_that_was_cut_off_at_once() -> None:
    kinds = {type(block) for block in show(CUT_RUN).blocks}
    assert kinds == {Headline, Facts}


def test_sizes_are_those_of_the_run() -> None:
    shown = rows(table(show(RUN), "Memory"))
    assert [shown[name][0] for name in ("peak", "cannot be dropped", "charged")] == ["1100.0", "342.0", "1300.0"]
    assert "charged" not in rows(table(show(replace(RUN, peak_limit_bytes=None)), "Memory"))


def test_a_buffer_that_was_not_looked_at_is_blank_and_not_zero() -> None:
    shown = table(show(RUN), "Buffers")
    assert [cell.text for cell in shown.rows[2]] == ["output buffer", "CPU output buffer", "1.0", ""]


def test_the_picture_has_limit_phases_and_both_traces() -> None:
    drawn = picture(show(RUN))
    assert drawn.limit == 2 * GIB
    assert [trace.name for trace in drawn.traces] == ["resident", "charged"]
    assert [mark.name for mark in drawn.marks] == ["loaded", "decode"]
    assert max(drawn.traces[0].values) == 1104 * MIB
    alone = replace(RUN, samples=tuple(replace(sample, limited_bytes=None) for sample in RUN.samples), limit=Limit())
    assert [trace.name for trace in picture(show(alone)).traces] == ["resident"]
    assert picture(show(alone)).limit is None


def test_a_soak_keeps_its_first_phases_and_its_peak() -> None:
    phases = tuple(
        Phase(name=f"round {number}", at_s=number, pss_bytes=1, anonymous_bytes=1, file_bytes=0)
        for number in range(500)
    )
    samples = tuple(Sample(at_s=at_s, resident_bytes=(7 if at_s == 417 else 5) * MIB) for at_s in range(5000))
    drawn = picture(show(replace(RUN, phases=phases, samples=samples)))
    assert len(drawn.marks) == 12
    (trace,) = drawn.traces
    assert len(trace.values) <= 300
    assert trace.at_s[trace.values.index(7 * MIB)] == 417


def test_what_the_engine_said_is_open_when_it_failed_and_closed_otherwise() -> None:
    failed = show(KILLED_RUN)
    assert any(isinstance(block, Bullets) and "n_ctx = 65536" in block.items[-1] for block in failed.blocks)
    closed = next(block for block in show(RUN).blocks if isinstance(block, Details))
    assert closed.view == "details"
    assert any(isinstance(block, Bullets) for block in closed.blocks)


def test_a_run_that_was_only_watched_says_why() -> None:
    watched = replace(RUN, limit=Limit(note="no permission for control groups"))
    assert any(isinstance(block, Bullets) and "no permission" in block.items[0] for block in show(watched).blocks)


def test_details_draw_what_moved_and_list_everything() -> None:
    document = show(RUN, "details")
    assert rows(table(document, "Further"))["system"] == ["swapped", "0.0 MiB", "0.0 MiB", "0.0 MiB"]
    drawn = [block for block in document.blocks if isinstance(block, Timeline)]
    assert [(each.title, each.unit) for each in drawn] == [("rails: power", "mw"), ("thermal: temperature", "c")]
    assert [trace.name for trace in drawn[0].traces] == ["VDD_IN", "VDD_SOC"]
    assert any(isinstance(block, Note) for block in show(CUT_RUN, "details").blocks)


def test_a_model_and_its_preset_in_the_list() -> None:
    names = {
        "a/Llama-3.2-1B-Q4_K_M.gguf": ("Llama-3.2-1B", "Q4_K_M"),
        "m.iq2_xs.gguf": ("m", "iq2_xs"),
        "Q4_K_M.gguf": ("Q4_K_M", ""),
        "plain": ("plain", ""),
        "a-F16.gguf": ("a", "F16"),
    }
    for model, expected in names.items():
        runs = Runs(store="s", items=(summary(RUN, model=model),), count=1)
        (row,) = table(show(runs), "Newest").rows
        assert (row[2].text, row[3].text) == expected, model
    asked = Runs(store="s", items=(summary(RUN, model="Qwen3-8B", format="Q8_0"),), count=1)
    assert [cell.text for cell in table(show(asked), "Newest").rows[0][2:4]] == ["Qwen3-8B", "Q8_0"]


def test_the_list_says_how_many_there_are() -> None:
    runs = Runs(store="/x", items=SUMMARIES, count=27)
    assert headline(runs) == Headline("27 runs", "neutral", "/x")
    assert any(isinstance(block, Note) and block.text.startswith("23 older") for block in show(runs).blocks)
    assert headline(Runs(store="/x", items=SUMMARIES[:1], count=1)).verdict == "1 run"
    assert any(isinstance(block, Command) for block in show(Runs(store="/x", items=(), count=0)).blocks)


def test_a_name_full_of_escapes_is_harmless() -> None:
    evil = replace(RUN, deployment=replace(RUN.deployment, model="\x1b[2J<b>.gguf"), said="\x1b]0;x\x07")
    for record in (evil, Runs(store="s", items=(summary(evil),), count=1), compare_runs(evil, RUN)):
        assert "\x1b" not in str(render(record))
        assert "<b>" not in str(render(record, "html"))


def test_a_comparison_names_what_was_run_differently() -> None:
    compared = compare_runs(RUN, KILLED_RUN)
    assert headline(compared).verdict == "−100.0 MiB at the peak"
    assert headline(compared).tone == "bad"
    shown = rows(table(show(compared), "Run differently"))
    assert shown == {"context_tokens": ["4096", "65536"], "limit_bytes": ["2.00 GiB", "1.00 GiB"]}
    figures = rows(table(show(compared), "Side by side"))
    assert figures["peak, MiB"] == ["1100.0", "1000.0", "−100.0"]
    assert figures["decode, tokens/s"] == ["16.0", "", ""]
    assert figures["pages read again"] == ["3", "900", "+897"]
    assert rows(table(show(compared), "PSS by phase")) == {"loaded": ["900.0", "900.0", "0.0"]}


def test_a_run_compared_with_itself() -> None:
    compared = compare_runs(RUN, RUN)
    assert headline(compared).verdict == "the same peak"
    assert compared.changes == ()
    assert compared.decode_ratio == 1.0
    assert any(isinstance(block, Note) for block in show(compared).blocks)
    assert picture(show(compared)).limit == 2 * GIB


def test_runs_without_samples_have_no_picture() -> None:
    assert not show(compare_runs(RUN, CUT_RUN)).pictures()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"machine": replace(RUN.machine, kernel="6.8")}, "machine.kernel"),
        ({"engine": replace(RUN.engine, version="new")}, "engine.version"),
        ({"workload": replace(RUN.workload, users=4)}, "workload.users"),
        ({"profile": "server"}, "profile"),
        ({"limit": replace(RUN.limit, limit_bytes=None)}, "limit.limit_bytes"),
        ({"deployment": replace(RUN.deployment, adapters=("a", "b"))}, "deployment.adapters"),
    ],
)
def test_every_kind_of_difference_is_found(change: dict[str, object], name: str) -> None:
    other: Observation = replace(RUN, **change)
    assert [each.name for each in compare_runs(RUN, other).changes] == [name]


def test_what_a_run_showed_is_no_difference_in_how_it_was_run() -> None:
    other = replace(RUN, peak_pss_bytes=1, phases=(), began="x", limit=replace(RUN.limit, note="n"), said="")
    assert compare_runs(RUN, other).changes == ()
