"""``memfit estimate`` and ``list`` for engines that are only sized."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memfit.cli._group import run
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.precision.schemes import SCHEMES

SIZED = [key for key, engine in ENGINES.items() if engine.only_sized]


def memfit(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("engine", SIZED)
def test_every_engine_sizes_a_card(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("estimate", "Llama-3.2-1B", "--engine", engine, "--device", "orin-nano-8gb", "-c", "2048", "--json")
    code, out, _ = memfit(capsys, *words)
    footprint = json.loads(out)
    assert code == (10 if footprint["verdict"] == "no" else 0)
    assert footprint["deployment"]["engine"] == engine
    assert footprint["terms"]
    assert footprint["high_bytes"] > footprint["model"]["weights_bytes"] > 0
    counted = [term for term in footprint["terms"] if term["pool"] != "system"]
    assert sum(term["high_bytes"] for term in counted) == footprint["high_bytes"]


def test_a_scheme_on_a_board(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("estimate", "Llama-3.2-3B", "--engine", "vllm", "--format", "awq", "--device", "orin-nano-8gb")
    code, out, _ = memfit(capsys, *words)
    assert code in (0, 10)
    assert "Llama-3.2-3B awq on Orin Nano 8GB" in out
    assert "context 4k a request" in out
    assert "ubatch" not in out.split("Ledger")[0], "what llama.cpp alone has is not shown"
    assert "--gpu-memory-utilization" in out
    assert "CUDA graphs" in out


def test_proposed_changes_are_the_engines_own(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = memfit(capsys, "estimate", "Qwen3-8B", "--engine", "vllm", "--device", "orin-nano-8gb", "--json")
    proposed = {(one["option"], one["value"]) for one in json.loads(out)["relief"]}
    formats = {value for option, value in proposed if option == "--format"}
    assert formats
    assert formats <= set(SCHEMES.keys())
    assert not {option for option, _ in proposed} & {"--no-repack", "--ubatch", "--output-rows"}


def test_a_share_of_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("estimate", "Llama-3.2-1B", "--engine", "vllm", "--device", "agx-orin-64gb", "--json")
    _, least, _ = memfit(capsys, *words)
    _, half, _ = memfit(capsys, *words, "--memory-fraction", "0.5", "--no-cuda-graphs")
    assert json.loads(half)["high_bytes"] > json.loads(least)["high_bytes"]
    assert json.loads(half)["deployment"]["options"]["memory_fraction"] == 0.5
    assert "cuda_graphs" not in {term["name"] for term in json.loads(half)["terms"]}


def test_the_largest_context_and_a_curve(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("estimate", "Llama-3.2-1B", "--engine", "tensorrt_edge_llm", "--format", "awq", "-d", "orin-nano-8gb")
    code, out, _ = memfit(capsys, *words, "--max", "context", "--json")
    assert code == 0
    assert json.loads(out)["value"] >= 4096
    code, out, _ = memfit(capsys, *words, "--sweep", "slots=1..4", "--json")
    assert code == 0
    sizes = [point["high_bytes"] for point in json.loads(out)["points"]]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--engine", "llama_cpp", "--format", "awq"), "llama.cpp reads GGUF files", "Q4_K_M"),
        (("--engine", "vllm", "--format", "awk"), "unknown format", "awq"),
        (("--engine", "vllm", "--format", "exl3"), "vLLM cannot run EXL3", "awq"),
        (("--engine", "mlc", "--format", "Q4_K_M"), "MLC cannot run Q4_K_M here: reads no GGUF", "q4f16_1"),
        (("--engine", "vllm", "--kv-type", "q8_0"), "vLLM has no KV cache in Q8_0", "fp8"),
        (("--engine", "vllm", "--source", "engine"), "memfit does not ask vLLM", "formula"),
        (("--engine", "vllm", "--backend", "cpu"), "on cuda only", "cuda"),
        (("--engine", "llama_cpp", "--memory-fraction", "0.5"), "llama.cpp has no --memory-fraction", "vllm"),
        (("--engine", "ollama", "--no-cuda-graphs"), "Ollama has no --cuda-graphs", "vllm"),
        (("--engine", "vllm", "--memory-fraction", "1.5"), "not in the range", "--help"),
        (("--engine", "vllm", "--pid", "1"), "memfit only sizes vLLM", "--pid"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    words: tuple[str, ...], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = memfit(capsys, "estimate", "Llama-3.2-1B", "--device", "orin-nano-8gb", *words)
    assert code == 2
    assert message in err
    assert hint in err


def test_a_pasted_command_of_another_engine(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = memfit(capsys, "estimate", "--engine", "vllm", "--", "vllm", "serve", "Qwen/Qwen3-8B")
    assert code == 2
    assert "memfit reads no commands of vLLM" in err


def test_options_that_it_does_not_have_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("estimate", "Llama-3.2-1B", "--engine", "vllm", "--device", "orin-nano-8gb", "-ngl", "99", "-ub", "64")
    _, out, _ = memfit(capsys, *words, "--json")
    (word,) = [warning for warning in json.loads(out)["warnings"] if "options of llama.cpp" in warning]
    assert word.startswith("--ubatch, --gpu-layers")


def test_a_modelfile_on_ollama(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "Modelfile"
    recipe.write_text("FROM SmolLM2-135M\nPARAMETER num_ctx 2048\n")
    words = ("estimate", str(recipe), "--engine", "ollama", "--source", "formula", "--device", "orin-nano-8gb")
    code, out, _ = memfit(capsys, *words, "--json")
    assert code == 0
    assert json.loads(out)["engine"].startswith("Ollama on llama.cpp")
    assert json.loads(out)["deployment"]["options"]["context_tokens"] == 2048


def test_commands_of_other_engines_are_refused_in_the_library_too() -> None:
    from memfit.engine.command import read_command

    with pytest.raises(UsageError, match="memfit reads no commands of SGLang"):
        read_command("python -m sglang.launch_server --model-path m", engine="sglang")


def test_verify_says_that_it_only_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = memfit(capsys, "verify", "Llama-3.2-1B", "--engine", "vllm")
    assert code == 2
    assert "does not start it" in err


def test_schemes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = memfit(capsys, "list", "schemes", "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)] == list(SCHEMES.keys())
    _, engines, _ = memfit(capsys, "list", "engines")
    assert "vLLM" in engines
