"""The shipped model run for real and held against its prediction."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memfit.cli._group import run
from memfit.engine._llama_cpp import oracle
from memfit.engine.records import Deployment, LoadMode, Options, Workload
from memfit.measure.records import Verification
from memfit.measure.verify import verify
from memfit.model.fabricate import fabricate
from memfit.units import MIB

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not oracle.is_installed(), reason="no engine to run"),
]
TINY = Path(__file__).resolve().parents[2] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
SHORT = Workload(generate_tokens=4)


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def tiny(**options: object) -> Deployment:
    return Deployment(model=str(TINY), options=msgspec.convert({"context_tokens": 2048, **options}, Options))


@pytest.mark.parametrize("load_mode", ["mmap", "none"])
def test_the_shipped_model_takes_what_was_predicted(load_mode: LoadMode) -> None:
    found = verify(tiny(load_mode=load_mode), workload=SHORT)
    assert found.verdict == "within"
    terms = {term.name: term for term in found.observed.terms}
    for name in ("weights", "kv_cache", "output_buffer"):
        term = terms[name]
        assert term.residual_bytes is not None, name
        # the output buffer shares its pages with the heap around it
        assert abs(term.residual_bytes) <= 64 * 1024, name
    compute = terms["compute_buffers"]
    assert compute.touched_bytes is not None
    assert compute.reserved_bytes is not None
    assert 0 < compute.touched_bytes <= compute.reserved_bytes
    assert found.observed.compared_bytes <= found.predicted.high_bytes
    assert found.decode_tokens_per_s


def test_a_file_whose_name_is_no_text_runs_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / os.fsdecode(b"bad\xff.gguf")
    model.symlink_to(TINY)
    words = [str(model), "-c", "512", "--json"]
    assert run(["estimate", *words]) == 0
    capsys.readouterr()
    assert run(["verify", *words, "--prompt", "32", "--generate", "2", "--quiet"]) in (0, 11)
    terms = {term.name: term for term in printed(capsys).observed.terms}
    assert terms["weights"].touched_bytes  # known by the file's name


def test_the_second_prediction_is_what_the_first_run_showed() -> None:
    first = verify(tiny(), workload=SHORT)
    second = verify(tiny(), workload=SHORT)
    assert second.calibrated
    assert second.predicted.likely_bytes == first.observed.compared_bytes
    assert abs(second.residual_ratio) <= 0.01
    other = verify(tiny(ubatch_tokens=128), workload=SHORT)
    assert not other.calibrated


def test_programs_that_map_the_same_files_change_nothing(tmp_path: Path) -> None:
    model = tmp_path / "of-nobody-else.gguf"
    model.write_bytes(TINY.read_bytes())
    deployment = msgspec.structs.replace(tiny(), model=str(model))
    alone = verify(deployment, workload=SHORT, learn=False)
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        assert sum(area[:: mmap.PAGESIZE])  # all of it in memory, and mapped here too
        beside = verify(deployment, workload=SHORT, learn=False)
    assert beside.observation.mapped_elsewhere_bytes >= 0.9 * model.stat().st_size / 2
    assert beside.observed.compared_bytes == pytest.approx(alone.observed.compared_bytes, rel=0.01)


def test_a_model_that_another_has_mapped_passes_no_limit(tmp_path: Path) -> None:
    if not is_limited():
        pytest.skip("no permission for a control group")
    model = tmp_path / "large.gguf"
    fabricate("SmolLM2-135M", model, format="Q8_0")
    deployment = msgspec.structs.replace(tiny(context_tokens=512, repack=False), model=str(model))
    # the engine's own memory, and hardly anything of the model: alone it pages
    given: dict[str, Any] = {"workload": SHORT, "limit_bytes": 128 * MIB, "learn": False}
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        assert sum(area[:: mmap.PAGESIZE])
        found = verify(deployment, **given)
        assert found.observation.outcome == "completed"
        assert not found.runs
        assert "held by another process" in found.reason
        assert found.observation.charged_elsewhere_bytes > 100 * MIB
        assert verify(deployment, **{**given, "limit_bytes": 512 * MIB}).runs  # room for all of it
    assert verify(deployment, **{**given, "limit_bytes": 512 * MIB}).observation.charged_elsewhere_bytes < 2 * MIB


def test_rounds_are_looked_through_for_growth() -> None:
    found = verify(tiny(context_tokens=512), workload=Workload(prompt_tokens=32, generate_tokens=1, rounds=12))
    assert found.growth is not None
    assert found.growth.rounds == 12
    assert not found.growth.leaks


def is_limited() -> bool:
    from memfit.measure.limits import open_fence

    fence = open_fence(64 * MIB)
    try:
        return fence.limit.mechanism != "none"
    finally:
        fence.close()


def test_in_too_little_memory_it_is_killed_as_predicted() -> None:
    if not is_limited():
        pytest.skip("no permission for a control group")
    found = verify(tiny(), workload=SHORT, limit_bytes=24 * MIB)
    assert found.verdict == "killed"
    assert not found.runs
    assert found.predicted.verdict == "no"
    assert found.observed.peak_limit_bytes is not None
    assert found.observed.peak_limit_bytes <= 24 * MIB


def printed(capsys: pytest.CaptureFixture[str]) -> Verification:
    out = capsys.readouterr().out
    fields = json.loads(out)
    assert {"predicted", "observed", "residual_bytes", "residual_ratio", "verdict", "limit_bytes"} <= set(fields)
    return msgspec.json.decode(out, type=Verification)


def test_the_verb_prints_the_record_and_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", str(TINY), "-c", "512", "--prompt", "64", "--generate", "2", "--no-store", "--json"]
    assert run(words) == 0
    captured = capsys.readouterr()
    assert "memfit: " in captured.err
    assert "loaded" in captured.err
    found = msgspec.json.decode(captured.out, type=Verification)
    assert found.verdict == "within"
    assert found.observation.workload.prompt_tokens == 64
    assert found.observation.id == 0
    assert not list(Path(os.environ["XDG_DATA_HOME"]).rglob("*.json"))


def test_the_verb_answers_10_where_it_does_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    if not is_limited():
        pytest.skip("no permission for a control group")
    words = ["verify", str(TINY), "-c", "2048", "--limit", "24MiB", "--no-store", "--quiet", "--json"]
    assert run(words) == 10
    found = printed(capsys)
    assert (found.verdict, found.limit_bytes) == ("killed", 24 * MIB)


def test_the_verb_draws_pictures_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg, html = tmp_path / "v.svg", tmp_path / "v.html"
    words = ["verify", str(TINY), "-c", "512", "--generate", "1", "--no-store", "--quiet"]
    assert run([*words, "--svg", str(svg), "--html", str(html)]) == 0
    assert "within" in capsys.readouterr().out
    assert "observed" in svg.read_text()
    assert "Predicted and observed" in html.read_text()
