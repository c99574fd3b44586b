"""memfit apply, undo and status as one types them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from memfit.agent.compress import _packers
from memfit.cli._changing import take_place
from memfit.cli._group import run as run_words
from small_image import everything, make_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run_words(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_shown_applied_listed_and_taken_back(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, root = everything(image), ("--root", str(image))
    code, out, _ = run(capsys, "apply", *root, "--all-applicable", "--needs", "printing", "--dry-run")
    assert code == 0
    assert "ln -sfn /dev/null /etc/systemd/system/bluetooth.service" in out
    assert "cups.service" not in out
    assert everything(image) == before
    code, out, _ = run(capsys, "apply", *root, "--all-applicable", "--needs", "printing", "--yes", "--json")
    assert code == 0
    receipt = json.loads(out)
    assert receipt["state"] == "applied"
    assert [knob["name"] for knob in receipt["knobs"]] == ["bluetooth"]  # printers are found by avahi
    code, out, _ = run(capsys, "status", *root)
    assert code == 0
    assert f"memfit undo --root {image} {receipt['id']}" in " ".join(out.split())
    code, out, _ = run(capsys, "undo", *root, receipt["id"])
    assert code == 0
    assert "everything is as it was" in out
    assert everything(image) == before


def test_what_is_shown_of_an_image_is_what_is_done(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "apply", "--root", str(image), "--knob", "cups", "--dry-run", "--json")
    assert code == 0
    assert {change["kind"] for change in json.loads(out)["changes"]} == {"link"}  # nothing runs that could be stopped


def test_a_check_that_fails_already_is_told_by_the_exit_code(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("apply", "--root", str(image), "--knob", "cups", "--yes", "--step", "--check")
    code, out, _ = run(capsys, *words, "exit 3")
    assert code == 1
    assert "not begun" in out
    assert run(capsys, *words, "true")[0] == 0


def test_the_root_of_this_machine_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "top").symlink_to("/")
    for root in ("/", "//", "/usr/..", str(tmp_path / "top")):
        assert take_place({"host": None, "root": root, "sudo": False}).root is None
    assert take_place({"host": None, "root": str(tmp_path), "sudo": False}).root == str(tmp_path)


def test_a_value_goes_into_the_proposal_the_receipt_and_the_list(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (image / "lib/systemd/system").mkdir(parents=True, exist_ok=True)
    (image / "lib/systemd/system/nvzramconfig.service").write_text("[Unit]\n")
    before, words = everything(image), ("apply", "--root", str(image), "--knob", "zram=1GiB,lz4")
    code, out, _ = run(capsys, *words, "--dry-run")
    assert code == 0
    assert "zram=1GiB,lz4" in out
    assert "echo lz4 > comp_algorithm" in out
    code, out, _ = run(capsys, *words, "--yes", "--step", "--json")
    assert code == 0
    (step,) = json.loads(out)["steps"]
    (knob,) = step["receipt"]["knobs"]
    assert (knob["name"], knob["value"]) == ("zram", "1GiB,lz4")
    assert (image / "etc/systemd/system/memfit-zram.service").exists()
    code, out, _ = run(capsys, "status", "--root", str(image))
    assert "zram=1GiB,lz4" in out
    assert run(capsys, "undo", "--root", str(image))[0] == 0
    assert everything(image) == before


@pytest.mark.skipif(not _packers(), reason="no library that packs is here")
def test_weights_are_packed_before_swap_for_them_is_offered(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (image / "lib/systemd/system").mkdir(parents=True, exist_ok=True)
    (image / "lib/systemd/system/nvzramconfig.service").write_text("[Unit]\n")
    (image / "model.bin").write_bytes(random.Random(1).randbytes(1 << 20))
    words = ("apply", "--root", str(image), "--knob", "zram=1GiB", "--dry-run", "--weights")
    code, out, _ = run(capsys, *words, "/model.bin")
    assert code == 0
    assert "model.bin packs 1.00 : 1" in out
    assert run(capsys, *words, "model.bin")[0] == 2  # of which machine?
    code, _, err = run(capsys, *words, "/none.bin")
    assert code == 5
    assert "/none.bin" in err


def test_nothing_is_done_where_nobody_agrees(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(image)
    code, _, err = run(capsys, "apply", "--root", str(image), "--knob", "cups")
    assert code == 2
    assert "--yes" in err
    assert everything(image) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--knob", "cupz"), "did you mean cups?"),
        (("--knob", "cups", "--all-applicable"), "give one of them"),
        ((), "--all-applicable"),
        (("--knob", "cups", "--needs", "printng"), "did you mean printing?"),
        (("--knob", "cups", "--needs", "printing"), "--needs printing keeps"),
        (("--knob", "cups", "--needs", "printing", "--needs", "display"), "--needs printing keeps"),
        (("--knob", "cups", "--check", "true"), "--step --check CMD"),
        (("--knob", "cups=1"), "cups takes no value"),
        (("--knob", "zram="), "2GiB or 2GiB,zstd"),
        (("--knob", "zram=2GiB", "--knob", "zram=1GiB"), "asked for twice"),
        (("--knob", "cups", "--weights", "/model.bin"), "--knob zram=2GiB --weights MODEL"),
        (("--all-applicable", "--weights", "/model.bin"), "--knob zram=2GiB --weights MODEL"),
        (("--knob", "zram=2GiB", "--weights", ""), "--weights without a name"),
    ],
)
def test_what_makes_no_sense_is_said(
    words: tuple[str, ...], said: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "apply", "--root", str(image), *words)
    assert code == 2
    assert said in err


def test_an_edit_since_is_shown_as_a_difference(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ("--root", str(image))
    assert run(capsys, "apply", *root, "--knob", "cups", "--yes")[0] == 0
    masked = image / "etc/systemd/system/cups.service"
    masked.unlink()
    code, _, err = run(capsys, "undo", *root)
    assert code == 0  # what is as it was before is no drift
    assert run(capsys, "apply", *root, "--knob", "cups", "--yes")[0] == 0
    masked.unlink()
    masked.symlink_to("/etc/other.service")
    code, _, err = run(capsys, "undo", *root)
    assert code == 5
    assert "+a link to /etc/other.service" in err
    assert "--keep-theirs" in err
    code, out, _ = run(capsys, "status", *root)
    assert "Changed since by somebody else" in out
    code, out, _ = run(capsys, "undo", *root, "--keep-theirs")
    assert code == 0
    assert "as it was but for one change of somebody else's" in out
    assert "/etc/systemd/system/cups.service" in out
    assert str(masked.readlink()) == "/etc/other.service"
    assert not (image / "etc/systemd/system/cups.socket").is_symlink()
