import json
import re
from pathlib import Path

import pytest

from memfit.device.boards import BOARDS
from memfit.device.compatibility import ENGINES, JETPACKS, engines_on, find_jetpack, jetpack_of
from memfit.device.compatibility._jetpack import parse_release
from memfit.device.packages import upstream
from memfit.device.release import parse_tegra_release

SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.parametrize(
    ("l4t", "jetpack"),
    [
        ("36.4.7", "6.2.1"),  # came by apt alone
        ("36.4.4", "6.2.1"),
        ("36.4.3", "6.2"),
        ("36.4.1", "6.1"),
        ("36.4", "6.1"),
        ("R36.4.0", "6.1"),
        ("36.5.0-20260115194252", "6.2.2"),
        ("36.3.0", "6.0"),
        ("35.6.3", "5.1.5"),
        ("35.6.4", "5.1.6"),
        ("38.2.2", "7.0"),
        ("38.4.0", "7.1"),
        ("39.2.0", "7.2"),
        ("39.2.1", "7.2.1"),
        ("32.7.6", "4.6.6"),
        ("36.6.0", None),  # not in the table: not guessed at
        ("32.7.1", None),
        ("40.0.0", None),
        ("", None),
        (None, None),
        ("36.x", None),
    ],
)
def test_the_jetpack_of_a_release(l4t: str | None, jetpack: str | None) -> None:
    assert jetpack_of(l4t) == jetpack


def test_rows_are_in_order_and_have_their_source() -> None:
    releases = [parse_release(jetpack.l4t) for jetpack in JETPACKS]
    assert all(releases)
    assert releases == sorted(release for release in releases if release)
    assert len({jetpack.version for jetpack in JETPACKS}) == len(JETPACKS)
    for jetpack in JETPACKS:
        assert jetpack.source
        assert jetpack.chips
        assert find_jetpack(jetpack.l4t) == jetpack


def test_the_published_matrix_agrees_as_far_as_it_goes() -> None:
    document = SHARED / "reference/documents/llm_optimization_on_jetson.txt"
    if not document.is_file():
        pytest.skip("the documents are not beside this checkout")
    rows = re.findall(
        r"^\| ([0-9.]+) \| R([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \|",
        document.read_text(),
        re.M,
    )
    assert len(rows) == 5
    for version, l4t, cuda, tensorrt, cudnn, python in rows:
        jetpack = next(found for found in JETPACKS if found.version == version)
        assert jetpack.l4t.startswith(l4t + ".")
        assert (jetpack.cuda or "").startswith(cuda)
        assert (jetpack.tensorrt or "").startswith(tensorrt)
        assert (jetpack.cudnn or "").startswith(cudnn)
        assert jetpack.python == python


def test_the_packages_of_a_release_are_those_of_its_row() -> None:
    file = SHARED / "data/devices/packages/r36.5-debs.json"
    if not file.is_file():
        pytest.skip("the package list is not beside this checkout")
    feeds = json.loads(file.read_text())
    versions = {name: upstream(entry["version"]) for feed in feeds.values() for name, entry in feed.items()}
    jetpack = find_jetpack(versions["nvidia-l4t-core"])
    assert jetpack is not None
    assert jetpack.version == "6.2.2"
    assert versions["cuda-cudart-12-6"] == jetpack.cuda
    assert versions["libnvinfer10"] == jetpack.tensorrt
    assert versions["libcudnn9-cuda-12"] == jetpack.cudnn


def test_the_sample_releases_have_a_jetpack() -> None:
    file = SHARED / "data/devices/release/nv_tegra_release_samples.txt"
    if not file.is_file():
        pytest.skip("the release files are not beside this checkout")
    found = [parse_tegra_release(part) for part in file.read_text().split("---")]
    assert found == ["36.2.0", "36.4.7", "38.2.0", "38.4.0"]
    assert [jetpack_of(l4t) for l4t in found] == ["6.0 DP", "6.2.1", "7.0", "7.1"]


def test_every_answer_about_an_engine_has_a_reason_and_a_source() -> None:
    for support in ENGINES:
        assert support.rules
        for rule in support.rules:
            assert rule.reason
            assert len(rule.source) > 5
            since, before = parse_release(rule.since), parse_release(rule.before)
            assert since is not None
            assert before is not None
            assert since < before
            assert rule.minimum_version is None or rule.runs


def on(l4t: str, capability: str | None) -> dict[str, tuple[bool | None, str | None]]:
    return {found.engine: (found.runs, found.minimum_version) for found in engines_on(l4t, capability)}


def test_engines_on_an_orin_with_jetpack_6() -> None:
    found = on("36.4.7", "8.7")
    assert found["llama.cpp"] == (True, None)
    assert found["vLLM"][0]  # paged attention does run on Jetson
    assert found["SGLang"][0]
    assert found["TensorRT Edge-LLM"] == (True, "0.6")
    assert found["TensorRT-LLM"] == (True, "0.12")
    assert found["ONNX Runtime"] == (True, "1.19.2")


def test_engines_on_a_thor_and_on_what_is_too_old() -> None:
    thor, old = on("38.4.0", "11.0"), on("35.1.0", "8.7")
    assert thor["TensorRT Edge-LLM"] == (True, "0.4")
    assert thor["vLLM"] == (True, "0.20")
    assert thor["MLC"] == (None, None)
    assert old["Ollama"] == (False, None)
    assert old["vLLM"] == (False, None)
    assert old["llama.cpp"] == (None, None)  # the documents contradict each other


def test_what_depends_on_the_gpu_is_unknown_without_it() -> None:
    assert on("38.4.0", None)["TensorRT Edge-LLM"] == (None, None)
    assert on("40.0.0", "8.7")["MLC"] == (None, None)
    assert engines_on(None) == ()


def test_every_capability_that_a_rule_names_is_a_boards() -> None:
    known = {board.compute_capability.value for board in BOARDS if board.compute_capability}
    assert {rule.capability for support in ENGINES for rule in support.rules if rule.capability} <= known


def test_jetpack_7_2_on_orin_is_told_apart_from_thor() -> None:
    orin = {found.engine: found for found in engines_on("39.2.1", "8.7")}
    thor = {found.engine: found for found in engines_on("39.2.1", "11.0")}
    assert (orin["Ollama"].runs, orin["Ollama"].minimum_version) == (True, "0.32")
    assert {found["llama.cpp"].runs for found in (orin, thor)} == {True}
    assert "11.0" not in orin["llama.cpp"].reason
    assert "11.0" in thor["llama.cpp"].reason
    assert engines_on("39.0.0", "8.7")  # the early access release: nobody told of Ollama there
    assert {found.runs for found in engines_on("39.0.0", "8.7") if found.engine == "Ollama"} == {None}
