"""The tables of ``tools/verify_accuracy.py``, and what may be told to others."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from memfit.measure.records import Verification
from verified_samples import predicted, ran, verified

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
import verify_accuracy
from soaking.shareable import shareable


def result(
    setting: str, peak: float, *, card: str = "llama_3_2_1b", mode: str = "mmap", again: int = 0
) -> verify_accuracy.Result:
    number = len(setting) * 1000 + int(peak)
    return verify_accuracy.Result(
        card=card,
        format="Q4_K_M",
        setting=setting,
        load_mode=mode,
        again=again,
        digest=f"{card} {setting} {mode}",
        verification=verified(observation=ran(peak, id=number, buffers=())),
    )


def rows(text: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {f"{line[0]} {line[1]}".strip(): line[2:] for line in lines[2:]}


def test_residuals_are_told_before_and_after_calibration() -> None:
    results = [result(f"setting {index}", 810) for index in range(7)]
    results += [result("none", 780, mode="none"), result("setting 0", 812, again=1)]
    text = verify_accuracy.tables(results)
    found = rows(text)
    mapped = found["Llama-3.2-1B Q4_K_M mmap"]
    assert mapped[:5] == ["7", "1.25%", "1.25%", "1.25%", "0"]
    assert found["all"][:2] == ["8", "1.25%"]
    # the others agree on ten MiB
    assert "as one that never ran here is, 7 of the 8 come nearer and 1 farther off: median 0.00%" in text
    assert (
        "The second run of 1 deployments, all of them with the options `setting 0`, predicted from the first: p95 0.25%"
        in text
    )
    assert "9 runs in all: the 8 of the table and 1 repeated." in text
    assert "9 runs (1 of them repeated) on " in text


def test_a_median_is_the_middle_of_the_middle_two() -> None:
    text = verify_accuracy.tables([result("one", 808), result("two", 816)])
    assert rows(text)["all"][1] == "1.50%"
    assert "none of these figures is another" in text


def test_every_kernel_is_told() -> None:
    results = []
    for index, kernel in enumerate(("6.1.0", "6.1.0", "6.6.0")):
        one = result(f"setting {index}", 810)
        observation = one.verification.observation
        machine = msgspec.structs.replace(observation.machine, kernel=kernel)
        observation = msgspec.structs.replace(observation, machine=machine)
        verification = msgspec.structs.replace(one.verification, observation=observation)
        results.append(msgspec.structs.replace(one, verification=verification))
    assert "Linux 6.1.0 (2 runs) and 6.6.0 (1);" in verify_accuracy.tables(results)


def test_a_run_above_high_is_counted() -> None:
    assert rows(verify_accuracy.tables([result("one", 2000)]))["all"][4] == "1"


def test_a_table_says_what_is_still_to_be_run() -> None:
    assert "1 of 96 runs so far" in verify_accuracy.tables([result("one", 810)])


def test_without_runs_there_is_an_empty_table() -> None:
    assert rows(verify_accuracy.tables([])) == {}


def test_results_survive_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    verify_accuracy._append(path, result("one", 810))
    with path.open("ab") as file:
        file.write(b'{"card": "ll')
    assert verify_accuracy._read(path) == [result("one", 810)]
    verify_accuracy._append(path, result("two", 820))
    assert verify_accuracy._read(path) == [result("one", 810), result("two", 820)]


def on(machine: str, one: verify_accuracy.Result) -> verify_accuracy.Result:
    observation = one.verification.observation
    elsewhere = msgspec.structs.replace(observation.machine, key=machine, cpu=machine, board=None)
    observation = msgspec.structs.replace(observation, machine=elsewhere)
    return msgspec.structs.replace(one, verification=msgspec.structs.replace(one.verification, observation=observation))


def test_runs_of_another_engine_are_not_mixed_in(tmp_path: Path) -> None:
    version = result("one", 810).verification.observation.engine.version
    path = tmp_path / "results.jsonl"
    verify_accuracy._check_alike([result("one", 810)], engine=version, path=path)
    with pytest.raises(SystemExit, match="give --results another file"):
        verify_accuracy._check_alike([result("one", 810)], engine="another", path=path)


def test_runs_of_two_machines_are_told_apart_and_teach_only_their_own() -> None:
    here = [on("here", result(f"setting {index}", 810)) for index in range(7)]
    there = [on("there", result(f"other {index}", 790)) for index in range(7)]
    text = verify_accuracy.tables([*here, *there])
    # each machine's runs agree among themselves
    assert "14 of the 14 come nearer and 0 farther off: median 0.00%, p95 0.00%" in text
    assert "\n7 runs on here, " in text
    assert "\n7 runs on there, " in text


def test_a_shared_record_names_no_folder_and_keeps_every_figure() -> None:
    folder = "/srv/somebody/models/made-up.gguf"
    deployment = msgspec.structs.replace(predicted().deployment, model=folder)
    footprint = msgspec.structs.replace(predicted(), deployment=deployment, warnings=(f"{folder} is strange",))
    one = verified(footprint, ran(deployment=deployment, said=f"loading {folder}"))
    shared = shareable(one, Path(folder))
    text = msgspec.json.encode(shared).decode()
    assert "somebody" not in text
    assert shared.residual_bytes == one.residual_bytes
    assert msgspec.json.decode(text, type=Verification) == shared
