"""How the command line answers words that it cannot use."""

import pytest

from memfit.cli._group import run


def test_without_words_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    shown = capsys.readouterr()
    assert "\nVerbs:\n" in shown.out
    assert not shown.err


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (["estimate", "SmolLM2-135M", "--png"], "memfit estimate"),
        (["estimate", "--no-such-option"], "memfit estimate"),
        (["list"], "memfit list"),
        (["--no-such-option"], "memfit"),
    ],
)
def test_a_usage_error_points_to_the_help_of_its_verb(
    words: list[str], verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err.endswith(f"hint: {verb} --help shows how it is used\n")


def test_a_command_of_ollama_is_sent_to_its_modelfile(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "--", "/usr/bin/ollama", "run", "llama3", "--verbose"]) == 2
    assert "ollama show --modelfile" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--budget", "--explain"],
        ["--budget", "--max", "context"],
        ["--explain", "--sweep", "context=1k..2k"],
        ["--explain", "--pid", "1"],
        ["--calibration", "some.json", "--max", "slots"],
    ],
)
def test_of_several_answers_none_is_left_out_in_silence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "SmolLM2-135M", "--memory", "4GiB", *words]) == 2
    complaint = capsys.readouterr().err
    assert words[0].removeprefix("--") in complaint
    assert "hint:" in complaint
