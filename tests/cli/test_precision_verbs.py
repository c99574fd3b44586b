"""The verbs about precision as people call them: exit codes, JSON, interruptions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="the engine is not installed: pip install 'memfit[llama]'")
pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")

MODEL = Path(__file__).resolve().parents[2] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
FEW = ("--formats", "Q3_K", "--formats", "Q5_K", "--formats", "Q8_0", "--window", "256", "--threads", "1")


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "memfit", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("precision")
    (made / "text.txt").write_text(Path(subprocess.__file__).read_text(encoding="utf-8")[:30_000])
    return made


@pytest.fixture(scope="module")
def quantized(folder: Path) -> dict[str, object]:
    done = call(
        "quantize", str(MODEL), "--max-bytes", "4000000", "--text", str(folder / "text.txt"),
        "--out", str(folder / "small.gguf"), "--work", str(folder / "work"), *FEW, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_quantize_prints_its_record_and_nothing_else(quantized: dict[str, object], folder: Path) -> None:
    assert quantized["bytes"] == (folder / "small.gguf").stat().st_size
    assert json.loads((folder / "small.precision.json").read_text()) == quantized


def test_evaluate_prints_what_others_build_on(quantized: dict[str, object], folder: Path) -> None:
    done = call(
        "evaluate", str(folder / "small.gguf"), "--against", str(MODEL), "--text", str(folder / "text.txt"),
        "--tokens", "2048", "--no-speed", "--threads", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kl_mean"] > 0
    low, high = found["kl_ci95"]
    assert low <= found["kl_mean"] <= high
    assert found["perplexity"] > 1
    assert 0.5 < found["top1"] <= 1
    assert found["text"]["windows"] == 4


def test_evaluate_scores_tasks(folder: Path) -> None:
    tasks = folder / "tasks.jsonl"
    tasks.write_text(
        '{"question": "import os\\nimport ", "choices": ["sys\\n", "zzq!!\\n"], "answer": 0}\n'
        '{"prompt": "def f(self", "answer": "zzz"}\n'
    )
    done = call(
        "evaluate", str(MODEL), "--text", str(folder / "text.txt"), "--tokens", "1024", "--task", str(tasks),
        "--no-speed", "--threads", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["tasks"]
    assert (result["right"], result["tasks"]) == (1, 2)


def test_nothing_that_holds_is_an_answer_with_a_code_of_its_own(quantized: dict[str, object], folder: Path) -> None:
    done = call(
        "quantize", str(MODEL), "--floor", "kl=1e-9", "--max-bytes", "4000000", "--text", str(folder / "text.txt"),
        "--out", str(folder / "none.gguf"), "--work", str(folder / "work"), *FEW,
    )  # fmt: skip
    assert done.returncode == 10, done.stderr
    assert "nothing holds" in done.stdout
    assert not list(folder.glob("none*"))


def test_a_context_that_no_cache_fits_is_an_answer_too(folder: Path) -> None:
    done = call(
        "quantize", str(MODEL), "--fit", "orin-nano-8gb", "--context", "64M", "--kv", "auto",
        "--text", str(folder / "text.txt"), "--out", str(folder / "none.gguf"),
    )  # fmt: skip
    assert done.returncode == 10, done.stderr
    assert "does not fit" in done.stdout
    assert "more than orin-nano-8gb has" in " ".join(done.stdout.split())
    assert not list(folder.glob("none*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "neither a floor nor a budget"),
        (("--floor", "bits=4"), "is no floor"),
        (("--kv", "q3_k", "--max-bytes", "4MiB"), "keeps no cache in Q3_K"),
        (("--kv", "auto", "--max-bytes", "4MiB"), "--fit DEVICE"),
        (("--formats", "Q9_Z", "--max-bytes", "4MiB"), "unknown"),
        (("--max-bytes", "4MiB", "--max-ttft", "0"), "--max-ttft: 0 is too short"),
        (("--max-bytes", "4MiB", "--min-tps", "nan"), "--min-tps: not a number above zero"),
        (("--max-bytes", "4MiB", "--recover", "--minutes", "nan"), "--minutes: not a number above zero"),
        (("--recipe", "nowhere.json", "--out", "x.gguf"), "nowhere.json"),
        (("--fit", "no-such-board",), "no-such-board"),
    ],
)  # fmt: skip
def test_requests_without_sense_are_refused(words: tuple[str, ...], said: str, folder: Path) -> None:
    done = call("quantize", str(MODEL), "--text", str(folder / "text.txt"), *words)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_models_of_different_vocabularies_are_not_held_against_each_other(folder: Path) -> None:
    other = folder / "other.gguf"
    made = call("fabricate", "SmolLM2-135M", "--layers", "1", "--format", "Q8_0", "--out", str(other))
    assert made.returncode == 0, made.stderr
    done = call("evaluate", str(other), "--against", str(MODEL), "--text", str(folder / "text.txt"))
    assert done.returncode == 2
    assert "3584" in done.stderr


def test_an_interrupted_search_keeps_what_it_learned(folder: Path) -> None:
    """At a terminal the line of progress says when it probes; there it is interrupted, as by Ctrl-C."""
    work = folder / "interrupted"
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [
            sys.executable, "-m", "memfit", "quantize", str(MODEL), "--max-bytes", "4000000",
            "--text", str(folder / "text.txt"), "--out", str(folder / "late.gguf"), "--work", str(work), *FEW,
        ],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    ends = time.monotonic() + 120
    while b"probing: 1" not in said and time.monotonic() < ends:
        said += os.read(ours, 4096)
    program.send_signal(signal.SIGINT)
    code = program.wait(60)
    os.close(ours)
    assert code == 130
    assert not list(folder.glob("late*"))
    (learned,) = work.glob("*/learned.jsonl")
    assert sum(line.startswith(b'["probe') for line in learned.read_bytes().splitlines()) >= 3
    assert not list(work.glob("*/candidate*"))
