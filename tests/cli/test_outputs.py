import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from memfit.cli._files import write_files
from memfit.cli._group import run
from memfit.errors import MemfitError

MODEL = ["estimate", "Llama-3.2-1B", "--source", "formula", "--memory", "4GiB"]
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


def process(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "memfit", *words]
    return subprocess.run(command, text=True, check=False, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


@needs_full
@pytest.mark.parametrize("words", [["list", "models"], ["--help"], ["schema", "footprint"], ["completion", "bash"]])
def test_a_full_disk_is_one_message(words: list[str]) -> None:
    with FULL.open("w") as full:
        done = process(*words, stdout=full)
    assert done.returncode == 1
    assert "cannot write standard output" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@needs_full
def test_nowhere_to_complain_is_still_the_exit_code() -> None:
    with FULL.open("w") as full:
        command = [sys.executable, "-m", "memfit", "estimate", "no-such-model"]
        assert subprocess.run(command, check=False, stdout=full, stderr=full).returncode == 2


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "there" / "page.html", tmp_path / "page.html"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    write_files([(str(link), "new")])
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")
    file.chmod(0o640)
    write_files([(str(file), "new")])
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_files([(str(pipe), "picture")])
    reader.join()
    assert heard == ["picture"]
    assert pipe.is_fifo()


@needs_full
def test_a_link_to_a_full_device_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "full"
    link.symlink_to(FULL)
    with pytest.raises(MemfitError, match="cannot write"):
        write_files([(str(link), "x")])
    assert link.is_symlink()
    assert FULL.is_char_device()


def test_one_that_cannot_be_written_leaves_all_as_they_were(tmp_path: Path) -> None:
    first = tmp_path / "a.html"
    first.write_text("old")
    with pytest.raises(MemfitError, match="cannot write"):
        write_files([(str(first), "new"), (str(tmp_path / "no" / "b.svg"), "new")])
    with pytest.raises(MemfitError, match="it is a folder"):
        write_files([(str(first), "new"), (str(tmp_path), "new")])
    assert first.read_text() == "old"
    assert list(tmp_path.iterdir()) == [first]


def test_the_longest_name_the_file_system_takes(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write_files([(str(file), b"whole")])
    assert file.read_bytes() == b"whole"


@pytest.mark.parametrize("place", ["-", "/dev/stdout"])
def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str], place: str) -> None:
    assert run([*MODEL, "--svg", place]) == 0
    out = capsys.readouterr().out
    assert out.startswith("<svg")
    assert out.endswith("</svg>\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--svg", ""], "--svg without a file name"),
        (["--svg", "-", "--html", "-"], "several answers for standard output"),
        (["--json", "--html", "/dev/stdout"], "several answers for standard output"),
        (["--svg", "one", "--html", "one"], "several answers for one"),
    ],
)
def test_places_that_make_no_sense(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert run([*MODEL, *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("view", ["--budget", "--explain"])
def test_a_view_without_a_picture_gives_the_footprints(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, view: str
) -> None:
    default, other = tmp_path / "default.svg", tmp_path / "other.svg"
    assert run([*MODEL, "--svg", str(default)]) == 0
    assert run([*MODEL, view, "--svg", str(other)]) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert other.read_text().startswith("<svg")
    if view == "--explain":
        assert other.read_text() == default.read_text()


def test_a_process_beside_its_prediction_has_the_predictions_picture(tmp_path: Path) -> None:
    from memfit.cli._output import Outputs, show
    from memfit.footprint.estimate import estimate
    from memfit.footprint.process import compare

    footprint = estimate("Llama-3.2-1B", source="formula", relief=False)
    comparison = compare(footprint, os.getpid())
    both, alone = tmp_path / "both.svg", tmp_path / "alone.svg"
    show(comparison, Outputs(files=(("svg", str(both)), ("html", str(tmp_path / "page.html")))))
    show(comparison.footprint, Outputs(files=(("svg", str(alone)),)))
    assert both.read_text() == alone.read_text()


def test_what_cannot_be_drawn_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert run([*MODEL, "--html", str(tmp_path / "page.html"), "--png", str(tmp_path / "picture.png")]) == 1
    assert list(tmp_path.iterdir()) == []


def test_json_stays_json_beside_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run([*MODEL, "--json", "--svg", str(tmp_path / "x.svg")]) == 0
    assert json.loads(capsys.readouterr().out)["schema_version"] == 1
