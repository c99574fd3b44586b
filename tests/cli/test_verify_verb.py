"""What ``memfit verify`` refuses before it runs anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memfit.cli._group import run
from memfit.errors import EngineFailed
from memfit.measure.verify import Target

TINY = str(Path(__file__).resolve().parents[2] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["verify", *words]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no model given"),
        (("Llama-3.2-1B",), "memfit fabricate Llama-3.2-1B --format Q4_K_M --out Llama-3.2-1B-Q4_K_M.gguf"),
        ((TINY, "--format", "Q4_0"), "memfit fabricate"),
        ((TINY, "--users", "2"), "--slots 2 serves them at once"),
        ((TINY, "--full-context", "--prompt", "5"), "contradict each other"),
        ((TINY, "--pid", "1"), "--pid and --url belong together"),
        ((TINY, "--profile", "server"), "memfit verify -- llama-server"),
        ((TINY, "--soak", "10d"), "--soak: not a length of time"),
        ((TINY, "--limit", "4G"), "two ways"),
        ((TINY, "--timeout", "0"), "--timeout: 0 is too short"),
        ((TINY, "--timeout", "0.001s"), "give 1 s at least"),
        ((TINY, "--limit", "0"), "a limit of no memory"),
        ((TINY, "--pid", str(os.getpid()), "--url", "http://127.0.0.1:99999"), "is no http address: Port out of range"),
        ((TINY, "--pid", str(os.getpid()), "--url", "http://[::1"), "is no http address"),
        (
            ("other.gguf", "--", "llama-server", "-m", TINY),
            f"other.gguf stands before `--`, and the command runs {TINY}",
        ),
        (("llama-server", "-m", TINY), "memfit verify -- llama-server -m"),
        ((TINY, "--calibration", "nowhere.json"), "No such file"),
        ((TINY, "-c", "1099511627776"), "out of bounds"),
    ],
)
def test_what_has_no_meaning_is_refused_with_what_to_do(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *words, "--no-store")


@pytest.mark.parametrize("before", [(), (TINY,), (f"{Path(TINY).parent}/../memfit-tiny/{Path(TINY).name}",)])
def test_a_command_runs_with_and_without_the_model_before_it(
    before: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = []

    def verify(target: Target, **_: object) -> None:
        targets.append(target)
        raise EngineFailed("enough", hint=None, said="")

    monkeypatch.setattr("memfit.measure.verify.verify", verify)
    command = ("llama-server", "-m", TINY, "-c", "512")
    assert run(["verify", "--no-store", *before, "--", *command]) == 6
    assert targets[0].command == command
    assert (targets[0].deployment.model, targets[0].deployment.options.context_tokens) == (TINY, 512)


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--help"]) == 0
    told = capsys.readouterr().out
    assert "Exit codes: 0 it runs, within" in told
    assert "memfit fabricate" in told
