"""A watch and a log of tegrastats: the same traces."""

from __future__ import annotations

import pytest
from audit_samples import audited, log, series

from memfit.device.audit_watch import Watch
from memfit.device.tegrastats_log import TegrastatsLog, parse_log
from memfit.errors import UsageError
from memfit.render import find_view, render
from memfit.render.document import Bullets, Document, Facts, Table, Timeline
from memfit.render.views._traces import timelines
from memfit.units import GIB, MIB


def show(record: TegrastatsLog | Watch) -> Document:
    return find_view(type(record)).document(record)


def pictures(document: Document) -> dict[str, Timeline]:
    return {block.title: block for block in document.blocks if isinstance(block, Timeline)}


def test_a_log_has_a_picture_for_each_unit() -> None:
    found = pictures(show(log()))
    assert list(found) == ["Memory", "Load", "Temperature", "Power", "Clocks"]
    memory = found["Memory"]
    assert memory.limit == 7620 * MIB
    assert memory.traces[0].name == "used"
    assert memory.traces[0].leading
    assert max(memory.traces[0].values) == 3900 * MIB
    assert max(found["Load"].traces[0].values) == pytest.approx(0.87)


def test_a_clock_that_never_changes_is_not_drawn() -> None:
    assert [trace.name for trace in pictures(show(log()))["Clocks"].traces] == ["GR3D"]


def test_the_table_has_every_series() -> None:
    table = next(block for block in show(log()).blocks if isinstance(block, Table))
    rows = {(row[0].text, row[4].text): [cell.text for cell in row[1:4]] for row in table.rows}
    assert rows["used", "MiB"] == ["1000", "2450", "3900"]
    assert rows["EMC", "MHz"] == ["2133", "2133", "2133"]
    assert rows["cpu", "°C"] == ["40.0", "41.5", "42.9"]


def test_words_of_no_known_shape_are_told() -> None:
    found = show(parse_log(["RAM 1/7620MB (lfb 1x4MB) WHATEVER?!"] * 2, name="x"))
    assert any(isinstance(block, Bullets) for block in found.blocks)
    facts = next(block for block in found.blocks if isinstance(block, Facts))
    assert "without stamps" in facts.items[0].value


def test_a_log_of_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="no line of it is tegrastats'"):
        show(parse_log(["hello"], name="x.log"))


def test_gaps_are_left_out_and_not_drawn_as_zero() -> None:
    found = timelines((0.0, 1.0, 2.0), [series("used", "bytes", 5.0, None, 7.0)], total_bytes=None, units=("bytes",))
    assert found[0].traces[0].at_s == (0.0, 2.0)
    assert found[0].limit is None


def test_one_look_makes_no_picture() -> None:
    assert timelines((0.0,), [series("used", "bytes", 5.0)], total_bytes=None, units=("bytes",)) == ()


def test_the_hottest_leads() -> None:
    both = [series("a", "c", 40.0, 41.0), series("b", "c", 50.0, 51.0)]
    found = timelines((0.0, 1.0), both, total_bytes=None, units=("c",))
    assert [trace.name for trace in found[0].traces if trace.leading] == ["b"]


def test_a_watch_fits_one_screen() -> None:
    audit = audited("orin-nano-8gb-desktop")
    moving = (
        series("used", "bytes", 2.0 * GIB, 3.0 * GIB),
        series("GPU", "percent", None, 40.0),
        series("VDD_IN", "mw", 5000.0, 9000.0),
    )
    watch = Watch(audit=audit, times_s=(0.0, 1.0), series=moving)
    found = show(watch)
    assert list(pictures(found)) == ["Memory"]
    facts = next(block for block in found.blocks if isinstance(block, Facts))
    assert [(item.name, item.value) for item in facts.items] == [("GPU", "40 %"), ("VDD_IN", "9.0 W")]
    assert len(str(render(watch, width=100)).splitlines()) <= 40


@pytest.mark.parametrize("output", ["terminal", "html", "svg", "markdown", "json"])
def test_a_log_on_every_medium(output: str) -> None:
    assert render(log(), output)
