"""The whole search on the shipped model: budgets kept to the byte, floors measured, files made again."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("llama_cpp", reason="the engine is not installed: pip install 'memfit[llama]'")
pytest.importorskip("highspy", reason="the solver is not installed: pip install 'memfit[search]'")

from small_search import MODEL, request
from small_search import text as small_text

from memfit.engine.predictions import Scored, Window
from memfit.engine.workbench import Workbench
from memfit.errors import EngineFailed, EngineMissing, MemfitError, ModelError, UsageError
from memfit.model.fabricate import fabricate
from memfit.model.file import read_shape
from memfit.search.evaluate import Question, evaluate
from memfit.search.floors import parse_floor
from memfit.search.quantize import quantize
from memfit.search.recipe import read_record, remake
from memfit.search.records import Asked, PrecisionMap, Recovered
from memfit.search.recover import Recovery, Trained
from memfit.search.write import copy, write

BUDGET = 3_200_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def made() -> list[str]:
    """How every file was rounded that ``found`` made, in order."""
    return []


@pytest.fixture(scope="module")
def found(folder: Path, made: list[str]) -> PrecisionMap:
    def counted(*given: object, plain: bool = False, **more: object) -> object:
        made.append("plain" if plain else "fed")
        return write(*given, plain=plain, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memfit.search.session.write", counted)
        return quantize(request(folder, Asked(max_bytes=BUDGET)))


def test_what_takes_long_to_round_is_rounded_once(found: PrecisionMap, made: list[str], folder: Path) -> None:
    assert found.chosen == "searched"
    assert made.count("fed") == 1
    assert made.count("plain") >= 2
    assert not [path for path in folder.rglob("*.gguf") if path.stem.rpartition("-")[2] == str(os.getpid())]


def test_another_head_is_told_where_it_was_made(found: PrecisionMap) -> None:
    assert {one.name: one.format for one in found.tensors}["output.weight"] != "F16"
    assert any("--embeddings" in note for note in found.notes)


def test_the_budget_is_used_and_never_exceeded(found: PrecisionMap, folder: Path) -> None:
    size = (folder / "out.gguf").stat().st_size
    assert found.bytes == size
    assert 0.995 * BUDGET <= size <= BUDGET


def test_every_tensor_has_the_format_that_the_record_names(found: PrecisionMap, folder: Path) -> None:
    formats = {tensor.name: tensor.format for tensor in read_shape(str(folder / "out.gguf")).tensors}
    assert {one.name: formats[one.name] for one in found.tensors} == {one.name: one.format for one in found.tensors}
    untouched = {
        tensor.name: tensor.format for tensor in read_shape(str(MODEL)).tensors if tensor.name.endswith("norm.weight")
    }
    assert untouched.items() <= formats.items()


def test_presets_compete_and_the_best_measured_is_taken(found: PrecisionMap) -> None:
    measured = [one for one in found.candidates if one.quality is not None]
    assert {one.name for one in measured} > {"searched"}
    best = min(measured, key=lambda one: one.quality.kl_mean if one.quality and one.quality.kl_mean else 9.0)
    assert found.chosen == best.name
    assert found.quality == best.quality


def test_the_prediction_is_near_what_was_measured(found: PrecisionMap) -> None:
    assert found.predicted_kl is not None
    assert found.quality is not None
    assert found.quality.kl_mean is not None
    assert found.predicted_kl == pytest.approx(found.quality.kl_mean, rel=0.3)


def test_what_predicts_no_numbers_is_never_taken_and_said(
    folder: Path, tmp_path: Path, found: PrecisionMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record can be read all the same, and what was learned is known the next time."""
    poisoned: list[int] = []
    score = Workbench.score

    def first_without_numbers(bench: Workbench, *given: Any, **more: Any) -> Iterator[Window | Scored]:
        parts = list(score(bench, *given, **more))
        if len(poisoned) < 2:  # what the search chose, on both texts
            poisoned.append(1)
            infinite = [msgspec.structs.replace(one, divergence=math.inf) for one in parts[-1].windows]  # type: ignore[union-attr]
            parts[-1] = Scored(windows=tuple(infinite), p99=math.nan, most=math.inf)
        yield from parts

    monkeypatch.setattr(Workbench, "score", first_without_numbers)
    asked = request(tmp_path, Asked(max_bytes=BUDGET))
    bad = quantize(asked)
    assert bad.chosen not in (None, "searched")
    (ours,) = [one for one in bad.candidates if one.name == "searched"]
    assert ours.quality is None
    assert ours.why_not == "predicts no numbers in these formats"
    assert read_record(str(tmp_path / "out.precision.json")) == bad
    remake(str(tmp_path / "out.precision.json"), str(MODEL), str(tmp_path / "again.gguf"), threads=1)
    again = quantize(msgspec.structs.replace(asked, out=None))
    assert again.candidates == bad.candidates


def test_the_record_beside_the_file_is_the_one_that_was_given(found: PrecisionMap, folder: Path) -> None:
    assert read_record(str(folder / "out.precision.json")) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=PrecisionMap) == found


def test_a_recipe_makes_the_same_bytes(found: PrecisionMap, folder: Path) -> None:
    remake(str(folder / "out.precision.json"), str(MODEL), str(folder / "again.gguf"), threads=2)
    assert (folder / "again.gguf").read_bytes() == (folder / "out.gguf").read_bytes()


def test_a_recipe_of_another_base_is_refused(found: PrecisionMap, folder: Path) -> None:
    with pytest.raises(UsageError, match="is not the base"):
        remake(str(folder / "out.precision.json"), str(folder / "out.gguf"), str(folder / "b.gguf"))
    assert not (folder / "b.gguf").exists()


def changed_record(folder: Path, to: Path, **fields: object) -> str:
    """The record with other fields, beside the same importances."""
    record = json.loads((folder / "out.precision.json").read_bytes())
    (to / "other.precision.json").write_text(json.dumps(record | fields))
    shutil.copy(folder / "out.imatrix.gguf", to / "other.imatrix.gguf")
    return str(to / "other.precision.json")


def test_a_recipe_that_comes_out_differently_leaves_what_was_there(
    found: PrecisionMap, folder: Path, tmp_path: Path
) -> None:
    path = changed_record(folder, tmp_path, sha256="0" * 64)
    mine = tmp_path / "mine.gguf"
    mine.write_text("mine")
    with pytest.raises(ModelError, match="came out differently"):
        remake(path, str(MODEL), str(mine), overwrite=True, threads=1)
    assert mine.read_text() == "mine"
    with pytest.raises(ModelError, match="came out differently"):
        remake(path, str(MODEL), str(tmp_path / "new.gguf"), threads=1)
    assert not (tmp_path / "new.gguf").exists()


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ({"name": "blk.0.attn_q.weight", "format": "Q9_Z"}, "unknown format 'Q9_Z'"),
        ({"name": "blk.9.attn_q.weight", "format": "Q4_K"}, "blk.9.attn_q.weight cannot be Q4_K"),
        ({"name": "blk.0.attn_norm.weight", "format": "IQ1_S"}, "blk.0.attn_norm.weight cannot be IQ1_S"),
        ({"name": "token_embd.weight", "format": "IQ1_S"}, "without its importances"),
    ],
)
def test_records_that_were_changed_are_refused_by_what_is_wrong(
    found: PrecisionMap, folder: Path, tmp_path: Path, tensor: dict[str, str], said: str
) -> None:
    one = msgspec.to_builtins(found.tensors[0])
    path = changed_record(folder, tmp_path, tensors=[one | tensor])
    with pytest.raises(UsageError, match=said) as refused:
        remake(path, str(MODEL), str(tmp_path / "new.gguf"), threads=1)
    assert path in refused.value.message
    assert not (tmp_path / "new.gguf").exists()


def test_a_search_that_was_killed_before_the_file_had_its_name_is_finished_by_the_same_command(
    found: PrecisionMap, folder: Path, tmp_path: Path
) -> None:
    """Its record and importances may lie there already; to another question they belong to someone else."""
    same = request(folder, Asked(max_bytes=BUDGET), out=str(tmp_path / "late.gguf"))
    first = quantize(same)
    (tmp_path / "late.gguf").unlink()
    assert quantize(same).sha256 == first.sha256 == found.sha256
    (tmp_path / "late.gguf").unlink()
    other = msgspec.structs.replace(same, asked=Asked(floors=(parse_floor("kl=0.05"),)))
    with pytest.raises(UsageError, match="belongs beside"):
        quantize(other)


def test_nothing_is_left_beside_a_file_that_found_no_room(
    found: PrecisionMap, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file itself was written, its importances were too much: none of the three has a name."""

    def full(*_: object, **__: object) -> str:
        raise MemfitError("no room")

    named = tmp_path / "full.gguf"
    monkeypatch.setattr(
        "memfit.search.conclude.copy", lambda made, path, **more: (copy if path == named else full)(made, path, **more)
    )
    with pytest.raises(MemfitError, match="no room"):
        quantize(request(folder, Asked(max_bytes=BUDGET), out=str(named)))
    assert not list(tmp_path.iterdir())


def test_evaluate_agrees_with_the_search_on_the_same_windows(found: PrecisionMap, folder: Path) -> None:
    """Sampled and exact divergences of one file, over all of the text."""
    question = Question(
        model=str(folder / "out.gguf"),
        against=str(MODEL),
        text=str(folder / "text.txt"),
        window_tokens=256,
        threads=1,
        speed=False,
    )
    exact = evaluate(question)
    kept = msgspec.structs.replace(question, model=str(MODEL), against=None, keep_reference=str(folder / "base.ref"))
    evaluate(kept)
    sampled = evaluate(msgspec.structs.replace(question, against=str(folder / "base.ref")))
    assert exact.kl_mean is not None
    assert sampled.kl_mean == pytest.approx(exact.kl_mean, rel=0.03)
    assert sampled.top1 == exact.top1
    assert sampled.perplexity == pytest.approx(exact.perplexity, rel=1e-5)
    damaged = folder / "damaged.ref"
    with zipfile.ZipFile(folder / "base.ref") as whole_file, zipfile.ZipFile(damaged, "w") as file:
        about = json.loads(whole_file.read("about.json"))
        file.writestr("about.json", json.dumps(about))
        file.writestr("arrays.npz", b"no arrays")
    with pytest.raises(ModelError, match="is no whole reference"):
        evaluate(msgspec.structs.replace(question, against=str(damaged)))
    with zipfile.ZipFile(damaged, "w") as file:
        file.writestr("about.json", json.dumps(about | {"vocabulary_tokens": 5}))
        file.writestr("arrays.npz", b"no arrays")
    with pytest.raises(UsageError, match="with 5 tokens"):
        evaluate(msgspec.structs.replace(question, against=str(damaged)))
    with pytest.raises(UsageError, match="whose cache is F16"):
        evaluate(msgspec.structs.replace(kept, kv=("Q8_0", "Q8_0"), overwrite=True))
    mine = folder / "mine.gguf"
    mine.write_bytes(MODEL.read_bytes())
    with pytest.raises(UsageError, match="is read for it"):
        evaluate(msgspec.structs.replace(kept, model=str(mine), keep_reference=str(mine), overwrite=True))
    assert mine.read_bytes() == MODEL.read_bytes()
    with pytest.raises(UsageError, match="no such folder"):
        evaluate(msgspec.structs.replace(kept, keep_reference=str(folder / "nowhere" / "base.ref")))
    assert any("one text" in note for note in exact.notes)
    assert any("models of another size" in note for note in exact.notes)
    shape = read_shape(str(MODEL))
    whole = exact.quality.tokens * (2 * shape.vocabulary_tokens + 8)
    assert (folder / "base.ref").stat().st_size < whole / 80  # the zip's own head counts with so little text


def test_what_was_learned_is_not_learned_again(found: PrecisionMap, folder: Path) -> None:
    steps: list[str] = []
    asked = Asked(max_bytes=BUDGET)
    again = quantize(
        request(folder, asked, out=str(folder / "second.gguf")), lambda step, _done, _total: steps.append(step)
    )
    assert not {"probing", "measuring formats", "weighing columns"} & set(steps)
    assert again.sha256 == found.sha256


def test_a_floor_is_held_by_the_upper_end_of_what_was_measured(found: PrecisionMap, folder: Path) -> None:
    held = quantize(request(folder, Asked(floors=(parse_floor("kl=0.05"),)), out=str(folder / "floor.gguf")))
    assert held.chosen is not None
    assert held.quality is not None
    assert held.quality.kl_ci95 is not None
    assert held.quality.kl_ci95[1] <= 0.05
    assert held.bytes == (folder / "floor.gguf").stat().st_size
    looks = sum(one.quality is not None for one in held.candidates)
    assert looks > 1
    assert any(f"against {looks} candidates" in note for note in held.notes)
    assert not any("candidates on that text" in note for note in found.notes)
    smaller = [one for one in held.candidates if one.holds and held.bytes and one.bytes < held.bytes]
    assert not smaller


def test_a_floor_that_nothing_holds_names_the_nearest_and_writes_nothing(found: PrecisionMap, folder: Path) -> None:
    asked = Asked(floors=(parse_floor("kl=1e-9"),), max_bytes=BUDGET)
    nothing = quantize(request(folder, asked, out=str(folder / "none.gguf")))
    assert nothing.chosen is None
    assert nothing.nearest is not None
    assert not list(folder.glob("none*"))


def test_a_budget_that_no_format_meets_tells_the_smallest(found: PrecisionMap, folder: Path) -> None:
    nothing = quantize(request(folder, Asked(max_bytes=1_100_000), out=str(folder / "none.gguf")))
    assert nothing.chosen is None
    assert nothing.least_bytes is not None
    assert 1_100_000 < nothing.least_bytes < BUDGET
    assert not list(folder.glob("none*"))


def test_a_ladder_measures_every_rung_and_takes_the_lowest_that_holds(found: PrecisionMap, folder: Path) -> None:
    asked = Asked(floors=(parse_floor("kl=0.03"),))
    ladder = quantize(request(folder, asked, ladder=True, presets=("Q8_0", "Q4_K_M", "Q2_K"), out=None))
    assert [one.name for one in ladder.candidates] == ["Q8_0", "Q4_K_M", "Q2_K"]
    assert all(one.quality is not None and one.speed is not None for one in ladder.candidates)
    assert ladder.chosen == "Q4_K_M"
    assert ladder.out is None
    assert not any("--embeddings" in note for note in ladder.notes)


def test_tasks_are_known_by_what_they_hold_and_named_as_they_are_asked_for(
    found: PrecisionMap, folder: Path, tmp_path: Path
) -> None:
    """Learned of a file, they are found again under another name."""
    line = '{"question": "import os\\nimport ", "choices": ["sys\\n", "zzq!!\\n"], "answer": 0}\n'
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text(line)
        floors = (parse_floor(f"task:{tmp_path / name}=-1pt"),)
        held = quantize(request(folder, Asked(max_bytes=BUDGET, floors=floors), out=None))
        assert held.chosen is not None
        tasks = [task.file for one in held.candidates for task in one.tasks]
        assert tasks
        assert set(tasks) == {str(tmp_path / name)}


class TestRefusals:
    """What is no base, and what is no place for a result."""

    def test_the_base_itself_is_never_written_over(self, tmp_path: Path) -> None:
        copy = tmp_path / "base.gguf"
        shutil.copy(MODEL, copy)
        with pytest.raises(UsageError, match="is the base itself"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), model=str(copy), out=str(copy), overwrite=True))
        assert copy.read_bytes() == MODEL.read_bytes()

    def test_a_file_that_is_there_stays(self, tmp_path: Path) -> None:
        (tmp_path / "out.gguf").write_text("mine")
        with pytest.raises(UsageError, match="exists"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET)))
        assert (tmp_path / "out.gguf").read_text() == "mine"

    @pytest.mark.parametrize("name", ["out.imatrix.gguf", "out.precision.json"])
    def test_what_lies_where_the_record_and_the_importances_go_stays(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match=f"{name} exists"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET)))
        assert (tmp_path / name).read_text() == "mine"

    def test_given_importances_are_never_written_over(self, tmp_path: Path) -> None:
        given = tmp_path / "out.imatrix.gguf"
        given.write_text("mine")
        with pytest.raises(UsageError, match="--imatrix names it"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), imatrix=str(given), overwrite=True))
        assert given.read_text() == "mine"

    def test_the_text_of_the_search_is_not_unseen(self, tmp_path: Path) -> None:
        (tmp_path / "copy.txt").write_bytes(Path(small_text(tmp_path)).read_bytes())
        with pytest.raises(UsageError, match="is the text that is searched on"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), unseen=str(tmp_path / "copy.txt")))

    def test_an_unseen_text_too_short_to_measure_on_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "short.txt").write_text("x = 1\n" * 30)
        with pytest.raises(UsageError, match=r"short\.txt: its \d+ tokens fill 0 windows of 256"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), unseen=str(tmp_path / "short.txt")))

    def test_a_quantized_base_is_refused_unless_forced(self, found: PrecisionMap, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is quantized already"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), model=str(folder / "out.gguf")))

    def test_what_cannot_be_trained_is_told_before_the_search(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("memfit.search.recover.is_installed", lambda: False)
        heard: list[str] = []
        asked = request(tmp_path, Asked(max_bytes=BUDGET), recovery=Recovery())
        with pytest.raises(EngineMissing, match="PyTorch is not installed"):
            quantize(asked, lambda what, _done, _total: heard.append(what))
        assert heard == []

    def test_neither_floor_nor_budget(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="neither a floor nor a budget"):
            quantize(request(tmp_path, Asked()))

    def test_a_task_that_no_window_holds_is_told_before_the_search(self, tmp_path: Path) -> None:
        tasks = tmp_path / "tasks.jsonl"
        long = {"prompt": "x = 1\n" * 200, "answer": "y"}
        tasks.write_text('{"prompt": "import ", "answer": "os"}\n' + json.dumps(long))
        steps: list[str] = []
        floors = (parse_floor(f"task:{tasks}=-1pt"),)
        said = r"line 2: \d+ tokens, and a window has 256"
        with pytest.raises(UsageError, match=said):
            quantize(request(tmp_path, Asked(floors=floors)), lambda step, _done, _total: steps.append(step))
        assert not steps
        text = small_text(tmp_path)
        with pytest.raises(UsageError, match=said):
            evaluate(Question(model=str(MODEL), text=text, tasks=(str(tasks),), window_tokens=256, speed=False))

    def test_too_little_text(self, tmp_path: Path) -> None:
        few = tmp_path / "few.txt"
        few.write_text("only a few words\n")
        with pytest.raises(UsageError, match="windows of tokens"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), text=str(few)))

    def test_weights_that_are_not_finite(self, tmp_path: Path) -> None:
        damaged = tmp_path / "nan.gguf"
        shutil.copy(MODEL, damaged)
        shape = read_shape(str(damaged))
        tensor = next(one for one in shape.tensors if one.name == "blk.2.ffn_up.weight")
        with damaged.open("r+b") as file:
            file.seek(shape.shards[0].data_offset + tensor.offset)
            file.write(struct.pack("<e", float("nan")))
        with pytest.raises((ModelError, EngineFailed), match=r"not finite|no numbers"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), model=str(damaged)))
        assert not (tmp_path / "out.gguf").exists()
        of = Question(model=str(damaged), text=small_text(tmp_path), window_tokens=256, tokens=512, speed=False)
        for question in (
            of,
            msgspec.structs.replace(of, against=str(MODEL)),
            msgspec.structs.replace(of, model=str(MODEL), against=str(damaged)),
        ):
            with pytest.raises(ModelError, match="no numbers") as refused:
                evaluate(question)
            assert refused.value.file == str(damaged)

    def test_what_predicts_no_tokens_has_nothing_to_be_told_by(self, tmp_path: Path) -> None:
        """The engine hands out zeros for it: every format would seem to lose nothing."""
        vectors = str(tmp_path / "vectors.gguf")
        fabricate("all-MiniLM-L6-v2", vectors, format="F16", layers=1)
        with pytest.raises(UsageError, match="is an embedding model"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), model=vectors))
        with pytest.raises(UsageError, match="is an embedding model"):
            evaluate(Question(model=vectors, text=small_text(tmp_path), speed=False))

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MemfitError, match="no such folder"):
            quantize(request(tmp_path, Asked(max_bytes=BUDGET), out=str(tmp_path / "none" / "out.gguf")))


def test_a_budget_above_the_base_loses_nothing(found: PrecisionMap, folder: Path) -> None:
    whole = quantize(request(folder, Asked(max_bytes=MODEL.stat().st_size + 1000), out=None))
    assert "F16" in {one.name for one in whole.candidates if one.quality is not None}
    assert whole.quality is not None
    assert whole.quality.kl_mean == pytest.approx(0, abs=1e-9)


def test_importances_of_a_file_are_another_question(found: PrecisionMap, folder: Path) -> None:
    """What was learned with gathered ones is not taken for them; the same file gives the same result."""
    steps: list[str] = []
    given = request(
        folder, Asked(max_bytes=BUDGET), imatrix=str(folder / "out.imatrix.gguf"), out=str(folder / "given.gguf")
    )
    with_file = quantize(given, lambda step, _done, _total: steps.append(step))
    assert "probing" in steps
    assert "weighing columns" not in steps
    assert with_file.importance_sha256 is not None
    assert with_file.bytes is not None
    assert with_file.bytes <= BUDGET


def test_speed_is_measured_for_whoever_asks_for_it_later(found: PrecisionMap, folder: Path) -> None:
    timed = quantize(request(folder, Asked(max_bytes=BUDGET, min_tokens_per_s=0.001), out=None))
    assert timed.chosen is not None
    assert timed.speed is not None


def test_a_training_that_wins_nothing_leaves_the_search_s_file_and_its_recipe(
    found: PrecisionMap, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not taken is no part of the result: the same file can be made again."""
    record = Recovered(
        loss_before=0.02, loss_after=0.02, checked_tokens=512, tokens=512, steps=1, text_tokens=512, seconds=1.0,
        seed=0, rate=0.004, device="cpu", text_sha256="0" * 64,
    )  # fmt: skip
    nothing = Trained(record=record, replaced={})
    monkeypatch.setattr("memfit.search.decision.recover", lambda *_, **__: nothing)
    monkeypatch.setattr("memfit.search.quantize.refuse_recovery", lambda *_: None)  # PyTorch may not be here
    out = tmp_path / "same.gguf"
    tried = quantize(request(folder, Asked(max_bytes=BUDGET), out=str(out), recovery=Recovery()))
    assert tried.sha256 == found.sha256
    assert tried.recovered is None
    assert any("training found nothing better" in note for note in tried.notes)
    remake(str(tmp_path / "same.precision.json"), str(MODEL), str(tmp_path / "again.gguf"), threads=1)
    assert (tmp_path / "again.gguf").read_bytes() == out.read_bytes()
