"""``memfit fit`` as it is typed."""

import json
from pathlib import Path

import pytest

from memfit.cli._group import run


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["fit", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_record_has_what_others_build_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "--device", "orin-nano-8gb", "--for", "chat", "--json")
    assert code == 0
    rows = json.loads(out)["rows"]
    wanted = {"model", "format", "engine", "context_tokens", "verdict", "high_bytes", "headroom_bytes"}
    assert (wanted | {"decode_tokens_per_s", "quality"}) <= set(rows[0])


def test_what_a_person_sees(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "--device", "orin-nano-8gb", "--for", "assistant", "--context", "4096")
    assert code == 0
    assert "chat and assistants" in out
    assert "Llama-3.2-3B *" in out
    assert "at a context of 4k" in " ".join(out.split())
    assert "memfit estimate" in out


def test_engines_by_any_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "Llama-3.2-3B",
        "--device",
        "agx-orin-64gb",
        "--engine",
        "v-llm",
        "--engine",
        "llama-cpp",
        "--all",
        "--json",
    )
    code, out, _ = answer(capsys, *words)
    assert code == 0
    assert {row["engine"] for row in json.loads(out)["rows"]} == {"vllm", "llama_cpp"}


def test_a_context_of_nothing_is_refused_and_uses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "Qwen3-4B", "--device", "orin-nano-8gb", "--context", "0")
    assert code == 2
    assert "memfit estimate takes 0 for the trained context" in err
    code, _, err = answer(capsys, "--for", "nothing")
    assert code == 2
    assert "Known: bilingual, chat" in err


def test_a_picture_that_there_is_none_of_leaves_the_page_possible(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page, picture = str(tmp_path / "a.html"), str(tmp_path / "a.svg")
    code, _, err = answer(capsys, "Qwen3-14B", "--boards", "--html", page, "--svg", picture)
    assert code == 2
    assert "--html" in err
    assert answer(capsys, "Qwen3-14B", "--boards", "--html", page)[0] == 0


def test_nothing_that_fits_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "Llama-3.3-70B", "--device", "orin-nano-8gb")
    assert code == 10
    assert "GiB short" in out


def test_the_smallest_board(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "Qwen3-14B", "--boards")
    assert code == 0
    assert "Orin NX 16GB — is the smallest board" in out
    assert answer(capsys, "DeepSeek-V3", "--boards")[0] == 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "cooking", "--device", "orin-nano-8gb"), "unknown use"),
        (("--engine", "none", "--device", "orin-nano-8gb"), "unknown engine"),
        (("--format", "Q9", "Qwen3-8B", "--device", "orin-nano-8gb"), "Q9"),
        (("Llama 3.3 8B", "--device", "orin-nano-8gb"), "Llama-3.1-8B"),
        (("--boards",), "--boards is of one model"),
        (("--explain", "--device", "orin-nano-8gb"), "--explain is of one model"),
        (("Qwen3-4B", "--compare", "--device", "orin-nano-8gb"), "--compare takes two to 5"),
        (("Qwen3-4B", "--explain", "--all", "--device", "orin-nano-8gb"), "show different things"),
        (("Qwen3-8B", "--boards", "--device", "orin-nano-8gb"), "leave out --device"),
        (("--power-mode", "11W", "--device", "orin-nano-8gb"), "11W"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = answer(capsys, *words)
    assert code == 2
    assert said in err


def test_uses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "uses"]) == 0
    assert "long_context" in capsys.readouterr().out


def test_two_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "Qwen3-4B", "Llama-3.2-3B", "--device", "orin-nano-8gb", "--compare")
    assert code == 0
    assert "Qwen3-4B and Llama-3.2-3B" in out
    assert "context that fits" in out


def test_the_whole_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, "Qwen3-4B", "--device", "orin-nano-8gb", "--explain")
    assert code == 0
    for words in ("Where each figure comes from", "Where the time of a step goes", "DRAM traffic", "near lossless"):
        assert words in out
    code, out, _ = answer(capsys, "Qwen3-4B", "--device", "orin-nano-8gb", "--explain", "--json")
    found = json.loads(out)
    assert found["footprint"]["required_bytes"] == found["row"]["required_bytes"]
    assert found["speed"]["decode"]["likely"] == pytest.approx(found["row"]["decode_tokens_per_s"], abs=0.06)


@pytest.mark.parametrize("speed", ["nan", "inf"])
def test_a_speed_that_is_none_is_refused(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "--device", "orin-nano-8gb", "--min-tps", speed)
    assert code == 2
    assert "is no speed" in err
