from __future__ import annotations

import itertools
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trees import write_tree

from memfit.cli._group import run
from memfit.cli._watch import Beat
from memfit.device.audit import audit_paths
from memfit.host import Manifest
from memfit.host.record import record

RECORDING = Path(__file__).parents[1] / "fixtures/devices/orin-nano-8gb-desktop.tar.gz"
FIELDS = {
    "board", "l4t", "jetpack", "physical_bytes", "linux_bytes", "available_bytes", "unexplained_bytes", "terms",
    "processes", "checks",
}  # fmt: skip
LOG = """\
01-04-2025 16:02:59 RAM 1273/7620MB (lfb 1x4MB) SWAP 286/3810MB (cached 1MB) CPU [0%@1036,1%@729] GR3D_FREQ 0% \
cpu@45.875C VDD_IN 4968mW/4968mW
01-04-2025 16:03:00 RAM 2273/7620MB (lfb 1x4MB) SWAP 286/3810MB (cached 1MB) CPU [9%@1036,1%@729] GR3D_FREQ 99% \
cpu@46.875C VDD_IN 9968mW/5968mW
"""


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["audit", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "nano.tar.gz"
    record(write_tree("orin-nano-8gb-desktop", folder / "tree"), Manifest(paths=audit_paths()), file)
    return str(file)


def test_json_has_the_fields_others_build_on(capsys: pytest.CaptureFixture[str], recording: str) -> None:
    code, out, _ = answer(capsys, "--recorded", recording, "--json")
    found = json.loads(out)
    assert code == 0
    assert found.keys() >= FIELDS
    assert found["terms"][0].keys() >= {"name", "layer", "bytes", "source", "holder"}
    assert found["processes"][0].keys() >= {"pid", "name", "unit", "pss_bytes"}
    assert found["checks"][0].keys() >= {"name", "verdict", "evidence", "mend"}
    assert found["advice"][0].keys() == {"name", "bytes", "words"}
    assert "kill " in next(one["words"] for one in found["advice"] if one["name"] == "idle_python")
    assert sum(term["bytes"] for term in found["terms"]) + found["unexplained_bytes"] == found["physical_bytes"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Who holds memory"),
        (("--explain",), "Every term"),
        (("--processes",), "Every process"),
        (("--checks",), "failed — 12 passed"),
    ],
)
def test_views(capsys: pytest.CaptureFixture[str], recording: str, words: tuple[str, ...], expected: str) -> None:
    code, out, _ = answer(capsys, "--recorded", recording, *words)
    assert code == 0
    assert expected in out


def test_pages_and_pictures(capsys: pytest.CaptureFixture[str], recording: str, tmp_path: Path) -> None:
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    code, _, _ = answer(capsys, "--recorded", recording, "--checks", "--html", str(page), "--svg", str(picture))
    assert code == 0
    assert "nvpmodel" in page.read_text()
    assert "Physical memory" in picture.read_text()  # a view without a picture takes the default one's


def test_this_machine_is_recorded_and_read_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(tmp_path / "here.tar.gz")
    code, out, said = answer(capsys, "--record", file, "--redact", "--json")
    assert code == 0
    assert file in said
    first = json.loads(out)
    code, out, _ = answer(capsys, "--recorded", file, "--json")
    again = json.loads(out)
    assert code == 0
    different = {name for name in first if first[name] != again[name]}
    assert different <= {"door"}


def test_an_image(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_tree("thor-t5000", tmp_path)
    code, out, _ = answer(capsys, "--root", str(tmp_path))
    assert code == 0
    assert "an image" in out
    assert "Thor" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--host", "a", "--root", "/"), "name different machines"),
        (("--redact",), "--redact without --record"),
        (("--explain", "--checks"), "two views"),
        (("--watch", "--host", "a"), "--watch follows this machine"),
        (("--watch", "--record", "x.tar.gz"), "--watch follows this machine"),
        (("--watch", "--html", "x.html"), "one view"),
        (("--tegrastats", "x", "--watch"), "asks a machine"),
        (("--tegrastats", "/nowhere/at/all.log"), "No such file"),
        (("--recorded", ""), "without a name"),
        (("--json", "--html", "-"), "several answers"),
    ],
)
def test_what_has_no_meaning_is_refused(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str) -> None:
    code, out, said = answer(capsys, *words)
    assert code == 2
    assert out == ""
    assert says in said
    assert "hint:" in said


def test_a_recording_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"no archive")
    code, _, said = answer(capsys, "--recorded", str(tmp_path / "x.tar.gz"))
    assert code == 3
    assert "x.tar.gz" in said


def test_a_log_of_tegrastats(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "stats.log"
    log.write_text(LOG)
    code, out, _ = answer(capsys, "--tegrastats", str(log))
    assert code == 0
    assert "2.22 GiB used at most" in out
    for title in ("Memory", "Load", "Power", "Over the whole time"):
        assert title in out
    code, out, _ = answer(capsys, "--tegrastats", str(log), "--json")
    assert json.loads(out)["samples"] == 2


def test_a_log_of_something_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "other.log"
    log.write_text("hello\n" * 3 + "x" * 200_000)
    code, _, said = answer(capsys, "--tegrastats", str(log))
    assert code == 2
    assert "no line of it is tegrastats'" in said


def test_a_watch_without_a_terminal_prints_lines() -> None:
    words = (sys.executable, "-m", "memfit", "audit", "--watch", "--json")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()  # it may be writing, and would wait for a reader
        code = watching.wait()
    assert code == 0
    assert all(json.loads(line).keys() >= FIELDS for line in lines)


@pytest.mark.parametrize("words", [("--json",), ()])
def test_a_watch_ends_in_silence_when_its_reader_has_gone(words: tuple[str, ...]) -> None:
    command = (sys.executable, "-m", "memfit", "audit", "--watch", *words)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline()
        watching.stdout.close()
        assert watching.stderr.read() == b""
        assert watching.wait() == 0


@pytest.mark.parametrize("took_s", [(0.0, 0.0, 0.0), (0.3, 0.6, 0.1), (0.2, 3.5, 0.3)])
def test_a_watch_keeps_its_beat_however_long_a_look_takes(took_s: tuple[float, ...]) -> None:
    now, looked = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds >= 0
        now += seconds

    beat = Beat(clock=lambda: now, sleep=sleep)
    for seconds in took_s:
        looked.append(now)
        now += seconds
        beat.wait()
    apart = [after - before for before, after in itertools.pairwise((*looked, now))]
    assert apart == pytest.approx([max(1.0, seconds) for seconds in took_s])


def test_a_watch_on_a_terminal_draws_one_screen_and_leaves_it() -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", COLUMNS="90", LINES="40")
        os.execv(sys.executable, (sys.executable, "-m", "memfit", "audit", "--watch"))
    seen, deadline, asked = b"", time.monotonic() + 90, False
    try:
        while time.monotonic() < deadline:
            if not asked and b"Who holds memory" in seen:
                os.kill(child, signal.SIGINT)
                asked = True
            if select.select([terminal], [], [], 1.0)[0]:
                seen += os.read(terminal, 1 << 16)
    except OSError:  # its end is closed: it has ended
        pass
    finally:
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert asked, seen[-2000:]
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Physical memory" in seen
    assert b"\x1b[?1049l" in seen  # back from the screen of its own


def test_an_audit_loads_no_engine_no_model_and_no_formula() -> None:
    rooms = ("memfit.engine", "memfit.model", "memfit.footprint", "llama_cpp", "numpy")
    script = (
        "import sys; from memfit.cli._group import run; run(['audit', '--recorded', sys.argv[1]]);"
        f"sys.exit(sum(name in sys.modules for name in {rooms}))"
    )
    command = [sys.executable, "-c", script, str(RECORDING)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
