"""How the command line answers words that it cannot use."""

import json

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
        ["--sweep", "slots=1..2", "--pid", "1"],
        ["--max", "slots", "--pid", "1"],
        ["--calibration", "some.json", "--max", "slots"],
    ],
)
def test_of_several_answers_none_is_left_out_in_silence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "SmolLM2-135M", "--memory", "4GiB", *words]) == 2
    complaint = capsys.readouterr().err
    assert words[0].removeprefix("--") in complaint
    assert "hint:" in complaint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory", "8"], "give a unit, as in 8GiB"),
        (["--kv-type", "q8_0/"], "unknown KV cache format: ''"),
        (["--kv-type", "/q8_0"], "unknown KV cache format: ''"),
    ],
)
def test_half_a_value_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "SmolLM2-135M", "--memory", "4GiB", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_long_list_of_names_is_pointed_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "xyzzy123"]) == 2
    complaint = capsys.readouterr().err
    assert "memfit list models" in complaint
    assert len(complaint) < 200


def test_a_sweep_that_fits_nowhere_exits_10(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["estimate", "SmolLM2-135M", "--source", "formula", "--sweep", "slots=1..2"]
    assert run([*words, "--memory", "50MiB"]) == 10
    assert "not even 1 slot fits" in capsys.readouterr().out
    assert run([*words, "--memory", "4GiB"]) == 0


def test_layers_for_a_gpu_that_stay_on_the_cpu_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["estimate", "SmolLM2-135M", "--memory", "4GiB", "--source", "formula", "-ngl", "9", "--backend", "cpu"]
    assert run(words) == 0
    assert "9 layers for a GPU" in capsys.readouterr().out


def test_saved_prompts_without_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["estimate", "SmolLM2-135M", "--memory", "64GiB", "--source", "formula", "--profile", "server", "--json"]
    assert run([*words, "-cram", "-1"]) == 0
    options = json.loads(capsys.readouterr().out)["deployment"]["options"]
    assert options["cache_ram_unlimited"] is True
    assert options["cache_ram_bytes"] == 0


def test_more_memory_than_the_board_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["estimate", "SmolLM2-135M", "--device", "orin-nano-8gb", "--source", "formula", "--memory"]
    assert run([*words, "80GiB"]) == 0
    assert "80.00 GiB were stated, and Orin Nano 8GB has" in capsys.readouterr().out
    assert run([*words, "6GiB"]) == 0
    assert "were stated" not in capsys.readouterr().out
