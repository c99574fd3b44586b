from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

import memfit
from memfit.errors import Malformed
from memfit.model import _cache
from memfit.model._cache import cached
from memfit.model.shape import Layer, ModelShape, Shard, Tensor, Tokenizer


class Result(msgspec.Struct, frozen=True):
    text: str
    schema_version: int = 1


class Counter:
    """Computes results, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Result:
        self.times += 1
        return Result(f"result {self.times}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MEMFIT_CACHE", raising=False)
    return tmp_path / "cache" / "memfit" / "model"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"a model")
    return path


def test_computes_once(home: Path, source: Path) -> None:
    compute = Counter()
    assert [cached(source, "k", compute, Result).text for _ in range(3)] == ["result 1"] * 3
    assert compute.times == 1
    assert len(list(home.iterdir())) == 1
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_changed_file_is_computed_again(home: Path, source: Path) -> None:
    compute = Counter()
    cached(source, "k", compute, Result)
    source.write_bytes(b"b model")  # the same size
    os.utime(source, ns=(1, 1))
    assert cached(source, "k", compute, Result).text == "result 2"
    source.write_bytes(b"longer model")
    os.utime(source, ns=(1, 1))  # the same time
    assert cached(source, "k", compute, Result).text == "result 3"
    other = source.with_name("other")
    other.write_bytes(b"another file")  # the same size and time, another inode
    os.utime(other, ns=(1, 1))
    other.replace(source)
    assert cached(source, "k", compute, Result).text == "result 4"
    assert len(list(home.iterdir())) == 1


def test_any_shard_that_changes_counts(home: Path, source: Path) -> None:
    second = source.with_name("second.gguf")
    second.write_bytes(b"more")
    compute = Counter()
    for _ in range(2):
        cached([source, second], "k", compute, Result)
    assert compute.times == 1
    second.write_bytes(b"more of it")
    assert cached([source, second], "k", compute, Result).text == "result 2"


def test_a_result_may_name_its_file_as_given(
    home: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = source.with_name("link.gguf")
    link.symlink_to(source)
    monkeypatch.chdir(tmp_path)
    for given in (str(source), str(link), source.name):
        for _ in range(2):
            assert cached(given, "k", lambda given=given: Result(given), Result).text == given  # type: ignore[misc]


def test_the_same_name_elsewhere_is_another_file(
    home: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    compute = Counter()
    for folder in (tmp_path, tmp_path / "elsewhere"):
        monkeypatch.chdir(folder)
        Path(source.name).write_bytes(b"a model")
        cached(source.name, "k", compute, Result)
    assert compute.times == 2


def test_a_name_that_is_no_text_is_computed_and_not_kept(home: Path, source: Path) -> None:
    strange = source.with_name(os.fsdecode(b"bad\xff.gguf"))
    strange.write_bytes(b"a model")
    for _ in range(2):
        assert cached(str(strange), "k", lambda: Result(str(strange)), Result).text == str(strange)
    assert not home.exists() or not list(home.iterdir())


def test_keys_types_and_versions_are_apart(home: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counter()
    cached(source, "k", compute, Result)
    assert cached(source, "other", compute, Result).text == "result 2"

    newer = msgspec.defstruct("Result", [("text", str), ("schema_version", int, 2)])
    assert cached(source, "k", lambda: newer(text="newer"), newer) == newer(text="newer")

    assert cached(source, "other", compute, Result).text == "result 2"
    monkeypatch.setattr(memfit, "__version__", "999")
    assert cached(source, "other", compute, Result).text == "result 3"


def test_every_damaged_entry_is_computed_again(home: Path, source: Path) -> None:
    compute = Counter()
    cached(source, "k", compute, Result)
    (entry,) = home.iterdir()
    whole = entry.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [b"\xc1" * 50, b"\x91" * 5000]
    for number, data in enumerate(damaged, 2):
        entry.write_bytes(data)
        assert cached(source, "k", compute, Result).text == f"result {number}"
    assert cached(source, "k", compute, Result).text == f"result {len(damaged) + 1}"


def test_an_entry_that_cannot_be_opened(home: Path, source: Path) -> None:
    compute = Counter()
    cached(source, "k", compute, Result)
    (entry,) = home.iterdir()
    entry.unlink()
    entry.mkdir()
    assert cached(source, "k", compute, Result).text == "result 2"
    assert list(home.iterdir()) == [entry]  # nothing unfinished is left behind


def test_no_place_to_write_is_no_error(home: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(source))  # a file
    compute = Counter()
    assert [cached(source, "k", compute, Result).text for _ in range(2)] == ["result 1", "result 2"]


def test_off(home: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counter()
    cached(source, "k", compute, Result)
    monkeypatch.setenv("MEMFIT_CACHE", "off")
    assert cached(source, "k", compute, Result).text == "result 2"
    cached(source, "new", compute, Result)
    assert len(list(home.iterdir())) == 1


def test_relative_cache_homes_are_ignored(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    cached(source, "k", Counter(), Result)
    assert len(list((tmp_path / "user" / ".cache" / "memfit" / "model").iterdir())) == 1
    assert not (tmp_path / "here").exists()


def test_failures_are_passed_on_and_not_kept(home: Path, source: Path) -> None:
    def fail() -> Result:
        raise Malformed("bad")

    with pytest.raises(Malformed):
        cached(source, "k", fail, Result)
    assert not home.exists()
    with pytest.raises(Malformed):
        cached(source.with_name("missing"), "k", fail, Result)


def test_a_file_that_changes_meanwhile_is_not_kept(home: Path, source: Path) -> None:
    def compute() -> Result:
        source.write_bytes(b"changed meanwhile")
        return Result("of neither")

    assert cached(source, "k", compute, Result).text == "of neither"
    assert not home.exists()


def test_the_oldest_entries_are_removed(home: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache, "MOST_ENTRIES", 3)
    compute = Counter()
    for number in range(3):
        cached(source, f"k{number}", compute, Result)
        for entry in home.iterdir():
            os.utime(entry, ns=(entry.stat().st_mtime_ns - 10**9,) * 2)
    stale = home / "12345678.dead.tmp"  # of a run that was killed
    stale.write_bytes(b"")
    os.utime(stale, ns=(1, 1))
    cached(source, "k3", compute, Result)
    assert len(list(home.iterdir())) == 3
    assert not stale.exists()
    assert compute.times == 4
    cached(source, "k2", compute, Result)
    assert compute.times == 4  # the newer ones stayed
    cached(source, "k0", compute, Result)
    assert compute.times == 5  # the oldest did not


def test_a_shape_comes_back_equal(home: Path, source: Path) -> None:
    shape = ModelShape(
        architecture="llama",
        name="ü",
        parameters=3 * 10**9,
        parameters_active=10**9,
        embedding_length=64,
        vocabulary_tokens=10,
        context_trained_tokens=4096,
        layers=(Layer(heads=4, kv_heads=1, cache_of=0), Layer(attention="sliding")),
        tokenizer=Tokenizer(kind="gpt2", tokens=10),
        dimensions={"block_count": 2},
        tensors=(Tensor("a", (256, 4), "Q4_K", 576, 0, 1),),
        shards=(Shard("/m.gguf", 2**40, 4096),),
    )
    assert cached(source, "shape", lambda: shape, ModelShape) == shape

    def never() -> ModelShape:
        raise AssertionError("it was kept")

    assert cached(source, "shape", never, ModelShape) == shape
