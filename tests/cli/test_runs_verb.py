"""``memfit runs``: what it lists, shows, compares and writes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from memfit.cli._group import run
from memfit.measure.records import Observation
from memfit.measure.store import Store
from runs_kept import KILLED_RUN, RUN


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two runs."""
    monkeypatch.setenv("MEMFIT_STORE", str(tmp_path / "runs.sqlite"))
    kept = Store()
    for each in (RUN, KILLED_RUN):
        kept.finish(kept.begin(each), each)
    return kept


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["runs", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_list(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    code, out, _ = answer(capsys)
    assert code == 0
    assert "2 runs" in out
    assert out.index("killed") < out.index("completed")
    code, out, _ = answer(capsys, "--last", "1", "--json")
    listed = json.loads(out)
    assert (code, listed["count"], [item["id"] for item in listed["items"]]) == (0, 2, [2])
    assert listed["store"] == str(store.path)
    for all_of_them in ("0", "9" * 30):
        assert len(json.loads(answer(capsys, "--last", all_of_them, "--json")[1])["items"]) == 2


def test_one_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Memory over time" in answer(capsys, "show", "1")[1]
    code, out, _ = answer(capsys, "show", "last", "--json")
    shown = msgspec.json.decode(out, type=Observation)
    assert (code, shown.id, shown.outcome) == (0, 2, "killed")
    assert "rails: power" in answer(capsys, "show", "1", "--details")[1]
    picture = tmp_path / "run.svg"
    assert answer(capsys, "show", "1", "--svg", str(picture))[0] == 0
    assert picture.read_text().startswith("<svg")


def test_two_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Side by side" in answer(capsys, "compare", "1", "last")[1]
    compared = json.loads(answer(capsys, "compare", "1", "2", "--json")[1])
    assert compared["first"]["id"] == 1
    assert compared["peak_pss_difference_bytes"] == KILLED_RUN.peak_pss_bytes - RUN.peak_pss_bytes


def test_export_to_a_file_and_to_standard_output(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    code, out, err = answer(capsys, "export", "--out", str(file))
    assert (code, out) == (0, "")
    assert err.strip().endswith("2 runs")
    lines = file.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Observation).id for line in lines] == [1, 2]
    out = answer(capsys, "export", "2", "1")[1]
    assert [json.loads(line)["id"] for line in out.splitlines()] == [2, 1]
    assert answer(capsys, "export", "1", "--json")[1] == answer(capsys, "export", "1", "--out", "-")[1]


def test_an_export_that_fails_leaves_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    assert answer(capsys, "export", "1", "99", "--out", str(file))[0] == 2
    assert not file.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "99"), "no run 99"),
        (("show", "-1"), "-1"),
        (("show", "seven"), "'seven' is no run"),
        (("show", "9" * 40), "is no run"),
        (("show", "²"), "is no run"),
        (("compare", "1"), "Missing argument"),
        (("shwo",), "unknown subcommand"),
        (("2",), "memfit runs show 2"),
        (("--json", "show", "1"), "stand before"),
        (("--last", "3", "show", "1"), "stand before"),
        (("--last", "-1"), "--last"),
        (("export", "--out", ""), "--out without"),
    ],
)
def test_what_is_refused(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    code, out, err = answer(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err


def test_no_runs_yet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEMFIT_STORE", str(tmp_path / "none.sqlite"))
    assert "no runs" in answer(capsys)[1]
    assert json.loads(answer(capsys, "--json")[1])["items"] == []
    assert answer(capsys, "show", "last")[0] == 2
    assert answer(capsys, "export") == (0, "", "")
    assert not (tmp_path / "none.sqlite").exists()


def test_a_damaged_store_is_told_and_ends_with_6(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    store.path.write_bytes(b"no database" * 1000)
    for words in ((), ("show", "1"), ("export",)):
        code, _, err = answer(capsys, *words)
        assert code == 6
        assert str(store.path) in err
        assert "mv " in err


def test_the_list_imports_no_engine() -> None:
    script = "import sys; from memfit.cli._group import run; run(['runs']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"llama_cpp", "numpy", "asyncio", "memfit.measure.run"} & set(done.stdout.splitlines()[-1].split("'"))
