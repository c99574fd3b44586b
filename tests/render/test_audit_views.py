"""Audits of the written Jetsons as people see them; goldens as in ``test_golden``."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from audit_samples import audited
from strict_page import StrictPage
from test_golden import compare
from trees import names, write_tree

from memfit.device.audit import audit
from memfit.device.audit_records import Advice, Audit, KnobRow, ProcessRow
from memfit.host.rootfs import RootfsHost
from memfit.render import find_view, render
from memfit.render.document import Bullets, Command, Details, Document, Facts, Headline, MemoryMap, Table
from memfit.units import MIB

VIEWS = ("dram", "holders", "preflight")


def show(record: Audit, view: str | None = None) -> Document:
    return find_view(Audit, view).document(record)


def table(shown: Document, title: str) -> Table:
    return next(block for block in shown.blocks if isinstance(block, Table) and block.title.startswith(title))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", [name for name in names() if "desktop" not in name])
def test_golden_audits(name: str, width: int) -> None:
    compare(f"audit-{name}-{width}.txt", str(render(audited(name), width=width)))


@pytest.mark.parametrize("view", VIEWS)
def test_golden_views(view: str) -> None:
    compare(f"audit-{view}-80.txt", str(render(audited("orin-nano-8gb-desktop"), view=view, width=80)))


def test_golden_image(tmp_path: Path) -> None:
    write_tree("orin-nano-8gb-desktop", tmp_path)
    found = msgspec.structs.replace(audit(RootfsHost(tmp_path)), host="image", taken="2026-11-25T01:00:00+00:00")
    compare("audit-image-80.txt", str(render(found, width=80)))


@pytest.mark.parametrize("name", names())
def test_the_map_is_as_large_as_the_memory(name: str) -> None:
    record = audited(name)
    picture = next(block for block in show(record).blocks if isinstance(block, MemoryMap))
    assert sum(segment.bytes for segment in picture.segments) == picture.total_bytes == record.physical_bytes


def test_layers_add_up_to_what_they_hold() -> None:
    record = audited("orin-nano-8gb-desktop")
    rows = table(show(record), "Where the memory is").rows
    layers = [row for row in rows if not row[0].text.startswith("·")]
    total = sum(int(row[1].exact.split()[0]) for row in layers)
    assert total == sum(term.bytes for term in record.terms)
    items = [row for row in rows if row[0].text.startswith("·")]
    assert sum(int(row[1].exact.split()[0]) for row in items) == total


def test_advice_is_told_once_and_by_its_own_name() -> None:
    record = audited("orin-nano-8gb-desktop")
    assert "idle python" in [row[0].text for row in table(show(record), "What could be taken back").rows]
    told = (
        Advice(name="my_unit.service", bytes=40 * MIB, words="nobody knows"),
        Advice(name="idle_python", bytes=14 * MIB, words="kill 5"),
        Advice(name="threads", bytes=0, words="few"),
    )
    shown = show(msgspec.structs.replace(record, advice=told))
    rows = [[cell.text for cell in row] for row in table(shown, "Advice").rows]
    assert [row[:2] for row in rows] == [["my_unit.service", "40.0"], ["idle_python", "14.0"], ["threads", ""]]
    assert [row[2] for row in rows] == [one.words for one in told]
    assert "idle python" not in [row[0].text for row in table(shown, "What could be taken back").rows]


def test_what_failed_comes_first_with_the_command_that_mends_it() -> None:
    shown = show(audited("agx-orin-64gb"))
    verdicts = [row[1].text for row in table(shown, "Before a model").rows]
    assert verdicts == sorted(verdicts, key=["failed", "unknown", "passed"].index)
    assert any("dist-upgrade" in block.line for block in shown.blocks if isinstance(block, Command))


def test_engines_that_run_are_named_and_all_of_them_explained() -> None:
    record = audited("agx-orin-64gb")
    line = next(fact.value for block in show(record).blocks if isinstance(block, Facts) for fact in block.items
                if fact.name == "engines")  # fmt: skip
    rows = table(show(record, "preflight"), "Engines").rows
    assert {row[0].text for row in rows} == {found.engine for found in record.engines}
    assert "PyTorch ≥ 2.4" in line
    for found in record.engines:
        assert (found.engine in line) == bool(found.runs)


def test_an_image_says_that_nothing_runs(tmp_path: Path) -> None:
    write_tree("thor-t5000", tmp_path)
    shown = show(audit(RootfsHost(tmp_path)))
    assert isinstance(shown.blocks[0], Headline)
    assert shown.blocks[0].verdict == "an image"
    assert not any(isinstance(block, MemoryMap) for block in shown.blocks)
    assert isinstance(shown.blocks[-1], Bullets)


def test_unread_processes_are_told_and_not_shown_as_zero() -> None:
    unread = ProcessRow(pid=7, name="secret", unit=None, pss_bytes=None, rss_bytes=2**20)
    record = msgspec.structs.replace(audited("orin-nano-8gb-headless"), processes=(unread,))
    assert table(show(record), "Who holds").rows[0][3].text == "≤ 1.0"
    assert table(show(record, "holders"), "Every process").rows[0][4].text == "≤ 1.0"
    read = ProcessRow(pid=8, name="mine", unit=None, pss_bytes=2**20, rss_bytes=2**21)
    record = msgspec.structs.replace(record, processes=(read, unread))
    assert table(show(record), "Who holds").footers[0][3].text == "≥ 1.0"


def test_processes_without_a_unit_are_counted_together_by_name() -> None:
    rows = tuple(ProcessRow(pid=pid, name="bash", unit=None, pss_bytes=2**20) for pid in (1, 2, 3))
    record = msgspec.structs.replace(audited("orin-nano-8gb-headless"), processes=rows)
    shown = table(show(record), "Who holds").rows
    assert [row[0].text for row in shown] == ["bash"]
    assert shown[0][2].text == "3"


def test_causes_wait_until_asked_for() -> None:
    record = audited("orin-nano-8gb-desktop")
    closed = next(block for block in show(record).blocks if isinstance(block, Details) and block.view == "explain")
    assert "--explain" not in closed.summary
    assert table(show(record, "dram"), "What may be behind").rows
    assert table(show(record, "dram"), "What firmware keeps").rows


def test_a_hostile_name_of_a_process_does_no_harm() -> None:
    evil = ProcessRow(pid=7, name="\x1b[2Jevil<script>", unit="\x1b]0;x.service", pss_bytes=2**30)
    record = msgspec.structs.replace(audited("orin-nano-8gb-headless"), processes=(evil,))
    for view in (None, *VIEWS):
        assert "\x1b[2J" not in str(render(record, view=view, width=80))
        assert "<script>" not in str(render(record, "html", view=view))


@pytest.mark.parametrize("view", [None, *VIEWS])
def test_pages_are_self_contained(view: str | None) -> None:
    page = StrictPage(str(render(audited("agx-orin-64gb"), "html", view=view)))
    page.check_self_contained()
    page.check_references()


@pytest.mark.parametrize("view", [None, *VIEWS])
@pytest.mark.parametrize("output", ["html", "markdown", "terminal", "json"])
def test_every_view_on_every_medium(view: str | None, output: str) -> None:
    assert render(audited("orin-nx-16gb"), output, view=view)


def knob(name: str, likely: int, cuda: int | None = None, takes: str = "") -> KnobRow:
    return KnobRow(
        name=name,
        summary="",
        layer="boot",
        applies=True,
        low_bytes=likely,
        likely_bytes=likely,
        high_bytes=likely,
        when="reboot",
        cost="something",
        risk="low",
        cuda_bytes=cuda,
        takes=takes,
    )


def test_what_only_cuda_gains_has_a_column_of_its_own() -> None:
    bare = msgspec.structs.replace(audited("orin-nano-8gb-desktop"), knobs=(knob("cups", MIB),))
    assert "for CUDA" not in [column.title for column in table(show(bare), "What `memfit apply`").columns]
    rows = (knob("cma", 0, 160 * MIB, takes="a size"), knob("cups", MIB))
    found = table(show(msgspec.structs.replace(bare, knobs=rows)), "What `memfit apply`")
    number = [column.title for column in found.columns].index("for CUDA")
    assert [row[number].text for row in found.rows] == ["160.0", "1.0"]
    text = str(render(msgspec.structs.replace(bare, knobs=rows), width=120))
    assert "with a value, of which `memfit list knobs` says more: cma" in text
