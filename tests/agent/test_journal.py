"""The journal: states by renames, plans that are whole or refused, one memfit at a time."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from memfit.agent import journal as journal_module
from memfit.agent.failure import Failure
from memfit.agent.journal import JOURNAL, Entry, Journal
from memfit.agent.tree import Tree

DIGEST = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"  # of "a"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    (tmp_path / "var/lib").mkdir(parents=True)
    found = Journal(Tree(str(tmp_path)))
    with found.lock():
        pass
    return found


def lying(tmp_path: Path, entry: Entry) -> Path:
    """Where a transaction lies."""
    return tmp_path / entry.path[1:]


def begun(journal: Journal, **plan: Any) -> Entry:
    return journal.begin({"steps": [], **plan}, {})


def undone(journal: Journal, count: int) -> list[str]:
    return [journal.move(begun(journal), "undone").id for _ in range(count)]


def test_what_was_begun_is_found_again(journal: Journal, tmp_path: Path) -> None:
    entry = journal.begin({"steps": [1], "about": {"x": "é"}}, {3: b"a", 11: b""})
    assert (entry.number, entry.state) == (1, "staging")
    assert journal.entries() == (entry,)
    plan = journal.plan(entry)
    assert (plan["steps"], plan["about"], plan["id"]) == ([1], {"x": "é"}, entry.id)
    assert journal.before(entry, 3, DIGEST) == b"a"
    applied = journal.move(entry, "applied")
    assert journal.find(entry.id) == applied
    assert journal.plan(applied) == plan
    for path in (tmp_path / JOURNAL[1:], lying(tmp_path, applied)):
        assert path.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in lying(tmp_path, applied).iterdir())


def test_order_is_that_of_numbers_and_never_of_a_clock(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(1_000_000, 0, -1))
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    entries = [begun(journal) for _ in range(11)]
    journal.move(entries[4], "applied")
    journal.drop(entries[10])
    assert [entry.id for entry in journal.entries()] == [entry.id for entry in entries[:10]]
    assert begun(journal).number == 11
    assert Entry(9_999, "9999-ffff", "open") < Entry(10_000, "10000-0000", "open")


def test_other_names_are_none_of_its_own(journal: Journal, tmp_path: Path) -> None:
    for name in ("0001-abcd.lost", "0001-ABCD.open", "lost+found", "1-abcd.open", "0001-abcd.open~"):
        (tmp_path / JOURNAL[1:] / name).mkdir()
    assert journal.entries() == ()


@pytest.mark.parametrize("kept", [0, 1, 64, 65, 66, 100, -1])
def test_a_plan_that_was_cut_off_is_refused(journal: Journal, tmp_path: Path, kept: int) -> None:
    entry = begun(journal)
    file = lying(tmp_path, entry) / "plan.json"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(Failure, match=rf"{entry.path}/plan\.json: it is not what memfit wrote") as failure:
        journal.plan(entry)
    assert failure.value.kind == "undo"
    assert failure.value.journal == entry.path


def test_a_plan_that_was_edited_is_refused(journal: Journal, tmp_path: Path) -> None:
    entry = begun(journal, about="memfit")
    file = lying(tmp_path, entry) / "plan.json"
    file.write_bytes(file.read_bytes().replace(b"memfit", b"others"))
    with pytest.raises(Failure, match=r"plan\.json: it is not what memfit wrote"):
        journal.plan(entry)
    other = begun(journal)
    file.write_bytes((lying(tmp_path, other) / "plan.json").read_bytes())  # whole, and not its own
    with pytest.raises(Failure, match=r"plan\.json: it is not what memfit wrote"):
        journal.plan(entry)
    file.unlink()
    with pytest.raises(Failure, match=r"plan\.json: No such file"):
        journal.plan(entry)


def test_a_plan_of_another_memfit_is_left_to_that(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "SCHEMA_VERSION", 2)
        entry = begun(journal)
    with pytest.raises(Failure, match=r"plan\.json: another memfit wrote it"):
        journal.plan(entry)


def test_what_a_file_held_before_is_whole_or_refused(journal: Journal, tmp_path: Path) -> None:
    entry = journal.begin({"steps": []}, {0: b"a"})
    file = lying(tmp_path, entry) / "before-0"
    for content in (b"", b"b", b"a\n"):
        file.write_bytes(content)
        with pytest.raises(Failure, match=r"before-0: it is not what memfit wrote") as failure:
            journal.before(entry, 0, DIGEST)
        assert failure.value.kind == "undo"
    file.unlink()
    with pytest.raises(Failure, match=r"before-0: No such file"):
        journal.before(entry, 0, DIGEST)


def test_notes_stand_beside_a_plan(journal: Journal, tmp_path: Path) -> None:
    entry = begun(journal)
    assert journal.noted(entry, "measured") == {}
    journal.note(entry, "measured", {"a": 1})
    journal.note(entry, "measured", {"a": 2})
    assert journal.noted(entry, "measured") == {"a": 2}
    assert {path.name for path in lying(tmp_path, entry).iterdir()} == {"plan.json", "measured.json"}
    for damaged in ("", "{", "[]", "\udcff", '{"a": 2}', "0" * 64 + '\n{"a": 2}'):
        (lying(tmp_path, entry) / "measured.json").write_text(damaged, errors="surrogateescape")
        assert journal.noted(entry, "measured") == {}
        assert journal.has_note(entry, "measured")
    journal.forget(entry, "measured")
    assert not journal.has_note(entry, "measured")
    journal.forget(entry, "measured")
    assert {path.name for path in lying(tmp_path, entry).iterdir()} == {"plan.json"}


def test_two_at_once_are_one_too_many(journal: Journal, tmp_path: Path) -> None:
    other = Journal(Tree(str(tmp_path)))
    with journal.lock():
        with pytest.raises(Failure, match=r"/journal/lock: another memfit is changing this machine") as failure:
            other.lock().__enter__()
        assert failure.value.kind == "busy"
    with other.lock():
        pass


def test_one_that_has_patience_gets_its_turn(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, now = journal.lock(), [0.0]
    first.__enter__()

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] >= 1:
            first.__exit__(None, None, None)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Journal(Tree(str(tmp_path))).lock(2.0):
        assert 1 <= now[0] < 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_journal_that_may_not_be_written_needs_root() -> None:
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "var/lib").mkdir(parents=True)
        Path(made).chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(Failure, match=r"/var/lib/memfit/journal: Permission denied") as failure:
                Journal(Tree(made)).lock().__enter__()
        finally:
            os.seteuid(0)
    assert failure.value.kind == "root"
    assert "sudo" in failure.value.hint


def test_what_was_undone_long_ago_is_forgotten(journal: Journal, tmp_path: Path) -> None:
    applied = journal.move(begun(journal), "applied")
    ids = undone(journal, 23)
    journal.prune()
    assert [entry.id for entry in journal.entries()] == [applied.id, *ids[3:]]
    # one that was being forgotten when memfit was killed has no plan any more
    last = journal.entries()[-1]
    (lying(tmp_path, last) / "plan.json").unlink()
    journal.prune()
    assert [entry.id for entry in journal.entries()] == [applied.id, *ids[3:-1]]


def test_a_receipt_nobody_knows_names_those_that_are(journal: Journal) -> None:
    with pytest.raises(Failure, match="no receipt 0009-beef") as failure:
        journal.find("0009-beef")
    assert failure.value.hint == "applied here: none"
    known = journal.move(begun(journal), "applied")
    with pytest.raises(Failure) as failure:
        journal.find("")
    assert failure.value.hint == f"applied here: {known.id}"


def test_a_plan_is_readable_by_people(journal: Journal, tmp_path: Path) -> None:
    entry = begun(journal, about={"knobs": []})
    digest, _, rest = (lying(tmp_path, entry) / "plan.json").read_text().partition("\n")
    assert len(digest) == 64
    assert json.loads(rest)["about"] == {"knobs": []}
