import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memfit.cli._group import run
from memfit.model.gguf.writer import write_model

MODEL = ["Llama-3.2-1B", "--source", "formula", "--memory", "4GiB"]


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def record(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, err = answer(capsys, *words, "--json")
    assert code in (0, 10), err
    parsed: dict[str, Any] = json.loads(out)
    return parsed


def pasted_record(capsys: pytest.CaptureFixture[str], *words: str, pasted: tuple[str, ...]) -> dict[str, Any]:
    code, out, err = answer(capsys, "estimate", *words, "--json", "--", *pasted)
    assert code in (0, 10), err
    parsed: dict[str, Any] = json.loads(out)
    return parsed


def test_json_has_the_fields_others_build_on(capsys: pytest.CaptureFixture[str]) -> None:
    footprint = record(capsys, "estimate", *MODEL)
    assert footprint["model"].keys() >= {"architecture", "parameters", "parameters_active", "layers"}
    for term in footprint["terms"]:
        assert term.keys() >= {
            "name", "pool", "low_bytes", "likely_bytes", "high_bytes", "evictable_bytes", "source",
        }  # fmt: skip
    assert footprint.keys() >= {
        "low_bytes", "likely_bytes", "high_bytes", "capacity_bytes", "headroom_bytes", "verdict",
    }  # fmt: skip
    assert footprint["verdict"] == "fits"
    assert footprint["capacity_bytes"] == 4 * 2**30


def test_every_option_reaches_the_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "-c 8k --slots 2 --batch 1024 --ubatch 256 --kv-type q8_0/q4_0 --flash-attention on --load-mode none"
        " --no-repack --swa-window --output-rows 2 --cache-ram 512 --ctx-checkpoints 3 --threads 3 --unified-kv"
    ).split()
    options = record(capsys, "estimate", *MODEL, *words)["deployment"]["options"]
    assert options == {
        **options,
        "context_tokens": 8192, "slots": 2, "batch_tokens": 1024, "ubatch_tokens": 256, "kv_type_k": "Q8_0",
        "kv_type_v": "Q4_0", "load_mode": "none", "repack": False, "full_window_cache": False, "output_rows": 2,
        "cache_ram_bytes": 512 * 2**20, "checkpoints": 3, "threads": 3, "unified_kv": True,
    }  # fmt: skip


def test_batch_size_means_slots(capsys: pytest.CaptureFixture[str]) -> None:
    assert record(capsys, "estimate", *MODEL, "--batch-size", "4")["deployment"]["options"]["slots"] == 4


def test_profiles_differ(capsys: pytest.CaptureFixture[str]) -> None:
    library = record(capsys, "estimate", *MODEL)
    server = record(capsys, "estimate", *MODEL, "--profile", "server")
    assert library["deployment"]["options"]["cache_ram_bytes"] == 0
    assert server["deployment"]["options"]["slots"] == 4
    assert server["verdict"] == "no"


def test_what_does_not_fit_exits_10(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "estimate", "Llama-3.2-1B", "--source", "formula", "--memory", "64MiB")[0] == 10


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["estimate"], 2, "no model"),
        (["estimate", "absent.gguf"], 4, "absent.gguf"),
        (["estimate", "Lama-3.2-1B"], 2, "Llama-3.2-1B"),
        (["estimate", "Llama-3.2-1B", "--device", "orin-nona"], 2, "orin_nano_8gb"),
        (["estimate", "Llama-3.2-1B", "--memory", "4G"], 2, "4GiB"),
        (["estimate", "Llama-3.2-1B", "--format", "Q4_K_X"], 2, "Q4_K"),
        (["estimate", "Llama-3.2-1B", "--engine", "lama"], 2, "llama"),
        (["estimate", "Llama-3.2-1B", "--sweep", "contxt=1..2"], 2, "context=2k..128k"),
        (["estimate", "Llama-3.2-1B", "--kv-type", "q9"], 2, "q8_0"),
        (["estimate", "Llama-3.2-1B", "-fa", "off", "--kv-type", "q8_0"], 2, "flash"),
        (["estimate", "a.gguf", "b.gguf"], 2, "one model"),
        (["estimate", "--pid", "999999999"], 3, "no process"),
        (["estmate"], 2, "estimate"),
        (["schema", "footprnt"], 2, "footprint"),
        (["estimate", "Llama-3.2-1B", "--nonsense"], 2, "--help"),
    ],
)
def test_a_mistake_is_one_message_with_a_hint(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    extra = ["--source", "formula"] if words[0] == "estimate" and len(words) > 1 else []
    got, out, err = answer(capsys, *words, *extra)
    assert got == code, err
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert "hint:" in err


def test_a_file_that_is_no_model_says_what_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pointer = tmp_path / "model.gguf"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    code, _, err = answer(capsys, "estimate", str(pointer))
    assert code == 4
    assert "git lfs pull" in err


def test_an_unknown_architecture_names_the_nearest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    write_model(path, {"general.architecture": "llama9", "llama9.block_count": 1}, [("a.weight", (32, 32), "F16")])
    code, _, err = answer(capsys, "estimate", str(path), "--source", "formula")
    assert code == 4
    assert "llama" in err
    assert "--source engine" in err


def test_a_pasted_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    from memfit.model._build import card_tensors
    from memfit.model.cards import CARDS

    card = CARDS.get("SmolLM2-135M")
    write_model(path, card.header(), [(tensor.name, tensor.dims, "F16") for tensor in card_tensors(card)])
    footprint = pasted_record(
        capsys, "--source", "formula", "--memory", "2GiB",
        pasted=("llama-server", "-m", str(path), "-c", "8192", "-ctk", "q8_0", "-ctv", "q8_0", "-cram", "0"),
    )  # fmt: skip
    assert footprint["deployment"]["options"]["kv_type_k"] == "Q8_0"
    assert footprint["deployment"]["options"]["slots"] == 4
    assert footprint["verdict"] == "fits"


NO_WEIGHTS_READ = ("--source", "formula", "--device", "orin-nano-8gb")


def modelfile_record(capsys: pytest.CaptureFixture[str], folder: Path, text: str, *words: str) -> dict[str, Any]:
    (folder / "Modelfile").write_text(f"FROM Llama-3.2-1B\n{text}")
    return record(capsys, "estimate", str(folder / "Modelfile"), *words)


def test_what_is_pasted_takes_the_gpu_of_the_device(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    board = modelfile_record(capsys, tmp_path, "", *NO_WEIGHTS_READ)
    assert board["deployment"]["options"]["backend"] == "cuda"
    assert any("no -ngl given" in warning for warning in board["warnings"])
    stated = modelfile_record(capsys, tmp_path, "PARAMETER num_gpu 0\n", *NO_WEIGHTS_READ)
    assert stated["deployment"]["options"]["backend"] == "cpu"
    overruled = modelfile_record(capsys, tmp_path, "", *NO_WEIGHTS_READ, "--backend", "cpu")
    assert overruled["deployment"]["options"]["backend"] == "cpu"
    without = modelfile_record(capsys, tmp_path, "", "--source", "formula", "--memory", "4GiB")
    assert (without["deployment"]["options"]["backend"], "no -ngl" in str(without["warnings"])) == ("cpu", False)


def test_a_plain_estimate_for_a_board_with_a_gpu_says_that_it_is_the_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    said = "computed for the CPU"
    plain = record(capsys, "estimate", "Llama-3.2-1B", *NO_WEIGHTS_READ)
    assert plain["deployment"]["options"]["backend"] == "cpu"
    assert any(said in warning for warning in plain["warnings"])
    stated = record(capsys, "estimate", "Llama-3.2-1B", *NO_WEIGHTS_READ, "--backend", "cuda")
    assert said not in str(stated["warnings"])


def test_k_and_v_have_options_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    def kinds(*words: str) -> tuple[str, str]:
        options = record(capsys, "estimate", *MODEL, *words)["deployment"]["options"]
        return options["kv_type_k"], options["kv_type_v"]

    assert kinds("-ctk", "q8_0") == ("Q8_0", "F16")
    assert kinds("-ctv", "q4_0") == ("F16", "Q4_0")
    assert kinds("--kv-type", "q8_0", "-ctv", "bf16") == ("Q8_0", "BF16")


def test_locked_weights_cannot_be_evicted(capsys: pytest.CaptureFixture[str]) -> None:
    def weights(*words: str) -> dict[str, Any]:
        terms = record(capsys, "estimate", *MODEL, *words)["terms"]
        return next(term for term in terms if term["name"] == "weights")

    free, locked = weights(), weights("--mlock")
    assert free["evictable_bytes"] > 0
    assert (locked["evictable_bytes"], locked["working_set_bytes"]) == (0, 0)
    assert locked["high_bytes"] == free["high_bytes"]


def test_saved_prompts_without_a_limit_are_bounded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    from memfit.model._build import card_tensors
    from memfit.model.cards import CARDS

    card = CARDS.get("SmolLM2-135M")
    write_model(path, card.header(), [(tensor.name, tensor.dims, "F16") for tensor in card_tensors(card)])
    pasted = ("llama-server", "-m", str(path), "-c", "4096", "-cram", "-1")
    unlimited = pasted_record(capsys, "--source", "formula", "--memory", "2GiB", pasted=pasted)
    sizes = {term["name"]: term["high_bytes"] for term in unlimited["terms"]}
    assert sizes["prompt_cache"] == 2 * sizes["kv_cache"]
    limited = pasted_record(capsys, "--source", "formula", "--memory", "2GiB", "--profile", "library", pasted=pasted)
    assert "prompt_cache" not in {term["name"] for term in limited["terms"]}


@pytest.mark.parametrize("before", [[], ["--memory", "2GiB"]])
def test_a_command_without_dashes_says_where_they_go(capsys: pytest.CaptureFixture[str], before: list[str]) -> None:
    code, _, err = answer(capsys, "estimate", *before, "llama-server", "-m", "x.gguf")
    assert code == 2
    assert "memfit estimate -- llama-server -m x.gguf" in err


def test_another_engines_command_is_not_told_to_go_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "estimate", "--", "vllm", "serve", "x", "--port", "1")
    assert code == 2
    assert "vllm" in err


def test_files_are_written_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("page.html", "picture.svg", "tables.md")]
    words = [
        word
        for option, file in zip(("--html", "--svg", "--markdown"), files, strict=True)
        for word in (option, str(file))
    ]
    assert answer(capsys, "estimate", *MODEL, *words)[0] == 0
    assert all(file.stat().st_size > 500 for file in files)
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_folder_that_is_not_there_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = answer(capsys, "estimate", *MODEL, "--svg", str(tmp_path / "no" / "x.svg"))
    assert code == 1
    assert "cannot write" in err


def test_sweep_and_max(capsys: pytest.CaptureFixture[str]) -> None:
    curve = record(capsys, "estimate", *MODEL, "--sweep", "context=2k..8k")
    assert [point["value"] for point in curve["points"]] == [2048, 4096, 8192]
    largest = record(capsys, "estimate", *MODEL, "--max", "context")
    assert largest["value"] % 256 == 0


def test_schema_of_every_record(capsys: pytest.CaptureFixture[str]) -> None:
    _, names, _ = answer(capsys, "schema")
    assert "footprint" in names.split()
    for name in names.split():
        code, out, _ = answer(capsys, "schema", name)
        assert code == 0
        assert json.loads(out)


@pytest.mark.parametrize("kind", ["models", "announced", "devices", "architectures", "formats", "presets", "engines"])
def test_lists(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, _ = answer(capsys, "list", kind)
    assert code == 0
    assert out.strip()


def test_models_are_listed_with_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = answer(capsys, "list", "models", "--json")
    listed = {row["name"]: row["summary"] for row in json.loads(out)}
    assert listed["Qwen2.5-Coder-3B"] == "qwen2: code, chat, bilingual, long_context"
    assert listed["whisper-small"] == "recognition: speech"


def test_a_model_without_a_shape_is_told_by_its_size(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = answer(capsys, "estimate", "Step 3.5 Flash", "--device", "orin-nano-8gb")
    assert code == 4
    assert "102.68 GiB" in err
    code, _, err = answer(capsys, "estimate", "Llama 3.3 8B")
    assert code == 2
    assert "Llama-3.1-8B" in err
    assert "Llama-3.3-70B" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    code, out, _ = answer(capsys, "completion", shell)
    assert code == 0
    assert "_MEMFIT_COMPLETE" in out


def test_a_process_whose_command_says_nothing_is_described_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    pid = str(os.getpid())
    code, _, err = answer(capsys, "estimate", "--pid", pid, "--source", "formula")
    assert code == 2  # pytest is no llama.cpp
    assert f"--pid {pid}" in err
    comparison = record(capsys, "estimate", *MODEL, "--pid", pid)
    assert comparison["process"]["pid"] == os.getpid()
    assert comparison["footprint"]["model"]["name"] == "Llama-3.2-1B"


def test_help_imports_neither_rich_nor_an_engine() -> None:
    script = (
        "import sys; from memfit.cli._group import run; run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('rich', 'msgspec', 'llama_cpp', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m memfit list models | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [["--max", "context", "--sweep", "slots=1..2"], ["--max", "context", "--source", "both"]]
)
def test_a_search_is_one_question_by_formula(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    code, _, err = answer(capsys, "estimate", "Llama-3.2-1B", "--memory", "4GiB", *words)
    assert code == 2
    assert "hint:" in err


def test_a_sweep_may_start_at_a_fraction_of_a_k(capsys: pytest.CaptureFixture[str]) -> None:
    assert record(capsys, "estimate", *MODEL, "--sweep", "context=1.5k..3k")["points"][0]["value"] == 1536
