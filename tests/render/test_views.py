"""What the views say, and that what they show adds up."""

from __future__ import annotations

import shlex

import msgspec
import pytest
from render_samples import CURVE, FITS, LARGEST, ORIN_NANO, SEPARATE, TIGHT, TOO_BIG, term

from memfit.engine.records import Compared
from memfit.footprint.records import Curve, Footprint, Largest, Learned
from memfit.render import find_view
from memfit.render.document import Block, Command, Document, Facts, Headline, MemoryMap, Table, Waterfall
from memfit.units import GIB, MIB

replace = msgspec.structs.replace


def show(record: msgspec.Struct, view: str | None = None) -> Document:
    return find_view(type(record), view).document(record)


def block(document: Document, kind: type[Block]) -> Block:
    return next(each for each in document.blocks if isinstance(each, kind))


def headline(record: msgspec.Struct) -> Headline:
    found = block(show(record), Headline)
    assert isinstance(found, Headline)
    return found


def table(document: Document, title: str) -> Table:
    return next(each for each in document.blocks if isinstance(each, Table) and each.title.startswith(title))


def texts(shown: Table, name: str) -> list[str]:
    """The cells of the row or footer of this name."""
    return next([cell.text for cell in row] for row in (*shown.rows, *shown.footers) if row[0].text == name)


def test_verdicts_in_words() -> None:
    spare = replace(FITS, headroom_bytes=812 * MIB, capacity_bytes=int(7.4 * GIB))
    assert headline(spare) == Headline("fits", "ok", "812.0 MiB to spare of 7.40 GiB")
    assert headline(TIGHT).verdict == "tight"
    assert headline(TIGHT).sentence.startswith("1.02 GiB of the mapped weights do not stay in 6.30 GiB")
    assert headline(TOO_BIG) == Headline("does not fit", "bad", "3.41 GiB short of 6.30 GiB")


def test_ledger_rows_add_up_to_the_total() -> None:
    shown = table(show(FITS), "Ledger")
    summed = [row for row in shown.rows if row[-1].text != "not in the sum"]
    for place in range(1, 5):
        total = sum(float(row[place].text) for row in summed)
        assert total == pytest.approx(float(texts(shown, "total")[place]), abs=0.5)
    assert texts(shown, "OS")[-1] == "not in the sum"


def test_footers_are_the_sum_that_decides() -> None:
    shown = table(show(FITS), "Ledger")
    high, evictable, read = (float(texts(shown, name)[place]) for name, place in
                             (("total", 3), ("total", 4), ("read for every token", 4)))  # fmt: skip
    kept = float(texts(shown, "must stay in memory")[3])
    assert kept == pytest.approx(high - evictable + read, abs=0.2)
    assert float(texts(shown, "to spare")[3]) == pytest.approx(float(texts(shown, "capacity")[3]) - kept, abs=0.2)
    assert texts(table(show(TOO_BIG), "Ledger"), "short")[3] == "3492.5"


def test_pools_are_told_where_there_are_several() -> None:
    assert [column.title for column in table(show(SEPARATE), "Ledger").columns][1] == "pool"
    assert "pool" not in [column.title for column in table(show(FITS), "Ledger").columns]
    picture = block(show(SEPARATE), Waterfall)
    assert isinstance(picture, Waterfall)
    assert [step.name for step in picture.steps][:2] == ["weights (gpu)", "weights (host)"]


def test_figures_that_round_to_nothing_are_not_nothing() -> None:
    assert texts(table(show(SEPARATE), "Ledger"), "runtime")[2:5] == ["<0.1", "<0.1", "<0.1"]


def test_formula_stands_beside_engine_to_the_byte() -> None:
    assert not [block for block in show(FITS).blocks if isinstance(block, Table) and "engine" in block.title]
    compared = (
        Compared(term="kv_cache", formula_bytes=1_234_567, engine_bytes=1_234_567),
        Compared(term="draft compute_buffers", formula_bytes=1000, engine_bytes=1010, condition="here"),
    )
    same, apart = table(show(replace(FITS, compared=compared)), "Formula beside engine").rows
    assert [cell.text for cell in same] == ["KV cache", "1,234,567", "1,234,567", "equal", ""]
    assert [cell.text for cell in apart] == ["draft compute buffers", "1,000", "1,010", "+1.00 %", "here"]


def test_relief_is_priced() -> None:
    shown = table(show(TOO_BIG), "What would give most")
    assert [column.title for column in shown.columns] == ["change", "saves", "then needs", "verdict", "price"]
    saved, needs = texts(shown, "kv_type Q8_0")[1:3]
    assert (saved, needs) == (
        "3360.0",
        f"{next(r for r in TOO_BIG.relief if r.option == 'kv_type').required_bytes / 2**20:.1f}",
    )
    assert texts(shown, "kv_type Q8_0")[3:] == ["does not fit", "KV cache in 8.5 bits a value"]
    assert shown.rows[0][3].tone == "ok"


def test_budget_has_six_lines_that_add_up() -> None:
    shown = table(show(FITS, "budget"), "Budget")
    assert [row[0].text for row in shown.rows] == ["weights", "KV cache", "activations", "runtime", "OS", "peak"]
    inside = [row for row in shown.rows if row[0].text != "OS"]
    assert sum(float(row[3].text) for row in inside) == pytest.approx(float(texts(shown, "total")[3]), abs=0.4)
    assert texts(shown, "activations")[-1] == "compute buffers, work buffer, output buffer"
    assert texts(shown, "OS")[-1] == "already out of the capacity"


def test_budget_hides_no_term_it_does_not_know() -> None:
    novel = term("graph_cache", 1, 2, 3)
    shown = table(show(replace(FITS, terms=(*FITS.terms, novel)), "budget"), "Budget")
    assert texts(shown, "other") == ["other", "1.0", "2.0", "3.0", "0.0", "graph cache"]


def test_explain_tells_formula_error_and_parts() -> None:
    shown = table(show(FITS, "explain"), "Where")
    assert texts(shown, "tokenizer")[-1] == "290 bytes × 128256 tokens (error: ±12 % on 14 vocabularies)"
    parts = [float(texts(shown, name)[1]) for name in ("· mapped from the file", "· repacked")]
    assert sum(parts) == pytest.approx(float(texts(shown, "weights")[1]), abs=0.2)


def test_waterfall_ends_at_the_total() -> None:
    picture = block(show(FITS), Waterfall)
    assert isinstance(picture, Waterfall)
    assert sum(step.high_bytes for step in picture.steps) == FITS.high_bytes
    assert picture.totals[1].high_bytes == FITS.required_bytes
    assert all(step.high_bytes for step in picture.steps)


@pytest.mark.parametrize("record", [FITS, TIGHT, TOO_BIG])
def test_map_fills_the_whole_module(record: Footprint) -> None:
    picture = block(show(record), MemoryMap)
    assert isinstance(picture, MemoryMap)
    assert picture.total_bytes == 8 * GIB
    short = max(-record.headroom_bytes, 0)
    assert sum(segment.bytes for segment in picture.segments) == picture.total_bytes + short


def test_map_of_an_unknown_module_shows_the_capacity_alone() -> None:
    picture = block(show(SEPARATE), MemoryMap)
    assert isinstance(picture, MemoryMap)
    assert picture.total_bytes == 12 * GIB
    assert "system" not in {segment.role for segment in picture.segments}


def test_device_leaves_out_what_is_unknown() -> None:
    facts = block(show(ORIN_NANO), Facts)
    assert isinstance(facts, Facts)
    assert "on the module" in {fact.name for fact in facts.items}
    bare = block(show(SEPARATE.device), Facts)
    assert isinstance(bare, Facts)
    assert {"on the module", "MemTotal", "OS"}.isdisjoint(fact.name for fact in bare.items)


def only(*verdicts: str) -> Curve:
    return replace(CURVE, points=tuple(point for point in CURVE.points if point.verdict in verdicts))


def test_curve_says_how_far() -> None:
    assert headline(CURVE) == Headline("fits up to 32k", "ok", "context in 6.30 GiB; the next larger value does not")
    assert headline(only("fits")).sentence == "context in 6.30 GiB; the largest value asked for"
    assert headline(only("no")) == Headline("does not fit", "bad", "not even a context of 64k fits 6.30 GiB")
    assert headline(only()).tone == "neutral"
    paging = replace(only("no"), points=tuple(replace(point, verdict="tight") for point in only("no").points))
    assert headline(paging) == Headline("tight", "warn", "not even a context of 64k fits 6.30 GiB without paging")
    single = replace(only("no"), option="slots", points=tuple(replace(one, value=1) for one in only("no").points))
    assert headline(single).sentence == "not even 1 slot fits 6.30 GiB"


def test_curve_of_slots_counts_in_plain_numbers() -> None:
    points = tuple(replace(point, value=index + 1024) for index, point in enumerate(CURVE.points))
    shown = show(replace(CURVE, option="slots", points=points))
    assert table(shown, "Points").rows[0][0].text == "1024"
    assert table(shown, "Points").columns[0].title == "slots"


def test_a_copied_command_cannot_hide_another() -> None:
    for name in ("a; rm -rf ~.gguf", "$(reboot).gguf", "it's.gguf", "-rf"):
        footprint = replace(FITS, deployment=replace(FITS.deployment, model=name))
        command = block(show(replace(LARGEST, footprint=footprint)), Command)
        assert isinstance(command, Command)
        words = shlex.split(command.line)
        assert words[2].removeprefix("./") == name
        assert not words[2].startswith("-")
        assert words[3:5] == ["--context", "8192"]


def test_a_calibrated_footprint_says_by_what() -> None:
    learned = Learned(
        of="setting",
        runs=3,
        settings=1,
        machine="here",
        version="1",
        uncalibrated_bytes=GIB,
        last="2026-11-25T09:00:00Z",
    )
    facts = block(show(replace(FITS, learned=learned)), Facts)
    assert isinstance(facts, Facts)
    told = next(fact.value for fact in facts.items if fact.name == "calibrated")
    assert told == "by 3 runs of this setting on here, the last on 2026-11-25; likely 1.00 GiB without"
    plain = block(show(FITS), Facts)
    assert isinstance(plain, Facts)
    assert "calibrated" not in {fact.name for fact in plain.items}


def test_the_most_slots_say_what_they_share() -> None:
    options = replace(FITS.deployment.options, slots=8, context_tokens=4096)
    footprint = replace(FITS, deployment=replace(FITS.deployment, options=options))
    found = headline(Largest(option="slots", value=8, most=256, footprint=footprint))
    assert found.sentence.endswith("; they share a context of 4k tokens")
    trained = replace(footprint, deployment=replace(footprint.deployment, options=replace(options, context_tokens=0)))
    assert "they share" in headline(Largest(option="slots", value=8, most=256, footprint=trained)).sentence
    assert "share" not in headline(Largest(option="context", value=4096, most=8192, footprint=footprint)).sentence
    nothing = headline(Largest(option="slots", value=None, most=256, footprint=footprint))
    assert nothing.sentence.startswith("no number of slots fits")
