"""Downloads: resumed, checked, and never half a file under the final name."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from memfit.errors import ModelError, NotAModel, Unreachable
from memfit.remote import download
from memfit.remote.download import Pulled, Wanted, pull
from memfit.remote.web import Web, check_size
from range_server import RangeServer, serving

DATA = b"GGUF" + bytes(range(256)) * 8192  # 2 MiB
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RangeServer]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "model.gguf").write_bytes(DATA)
    with serving(tmp_path / "served") as running:
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSES_S", (0.0,))


def wanted(server: RangeServer, *, sha256: str = SHA, size: int | None = len(DATA)) -> Wanted:
    return Wanted(name="model.gguf", url=f"{server.url}/model.gguf", bytes=size, sha256=sha256)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_file_is_brought_and_checked(server: RangeServer, tmp_path: Path, size: int | None) -> None:
    seen: list[tuple[int, int]] = []
    got = pull(Web(), wanted(server, size=size), tmp_path / "to", progress=lambda *at: seen.append(at))
    assert got == Pulled(
        path=str(tmp_path / "to/model.gguf"), bytes=len(DATA), sha256=SHA, checked=True, fetched_bytes=len(DATA)
    )
    assert (tmp_path / "to/model.gguf").read_bytes() == DATA
    assert files(tmp_path / "to") == {"model.gguf"}
    assert seen[-1] == (len(DATA), len(DATA))


def test_without_a_published_checksum_it_says_that_nothing_was_checked(server: RangeServer, tmp_path: Path) -> None:
    assert not pull(Web(), wanted(server, sha256=""), tmp_path).checked


def test_a_link_that_drops_is_taken_up(server: RangeServer, tmp_path: Path) -> None:
    server.misbehave = "drop"
    assert pull(Web(), wanted(server), tmp_path).fetched_bytes == len(DATA)
    assert server.requests == ["/model.gguf", f"/model.gguf bytes={len(DATA) // 2}-"]


class _Stop(Exception):
    pass


def stopped_half_way(server: RangeServer, folder: Path) -> None:
    """As by Ctrl-C after the first quarter."""

    def stop(here: int, total: int) -> None:
        if here >= total // 4:
            raise _Stop

    with pytest.raises(_Stop):
        pull(Web(), wanted(server), folder, progress=stop)


def test_an_interrupted_download_goes_on_with_the_next_call(server: RangeServer, tmp_path: Path) -> None:
    stopped_half_way(server, tmp_path)
    assert "model.gguf" not in files(tmp_path)
    got = pull(Web(), wanted(server), tmp_path)
    assert 0 < got.fetched_bytes < len(DATA)
    assert (tmp_path / "model.gguf").read_bytes() == DATA


def test_another_version_begins_anew(server: RangeServer, tmp_path: Path) -> None:
    stopped_half_way(server, tmp_path)
    server.version = '"two"'
    assert pull(Web(), wanted(server), tmp_path).fetched_bytes == len(DATA)
    assert (tmp_path / "model.gguf").read_bytes() == DATA


def test_a_server_without_ranges_begins_anew(server: RangeServer, tmp_path: Path) -> None:
    stopped_half_way(server, tmp_path)
    server.misbehave = "whole"
    assert pull(Web(), wanted(server), tmp_path).fetched_bytes == len(DATA)
    assert (tmp_path / "model.gguf").read_bytes() == DATA


def test_a_server_that_never_ends_it_is_given_up_and_the_part_is_kept(server: RangeServer, tmp_path: Path) -> None:
    server.misbehave = "broken"
    with pytest.raises(Unreachable, match="in trouble"):
        pull(Web(), wanted(server), tmp_path)
    server.misbehave = ""
    stopped_half_way(server, tmp_path)
    part = (tmp_path / "model.gguf.part").stat().st_size
    server.misbehave = "broken"
    with pytest.raises(Unreachable):
        pull(Web(), wanted(server), tmp_path)
    assert (tmp_path / "model.gguf.part").stat().st_size == part > 0


@pytest.mark.parametrize("how", ["broken", "stall"])
def test_a_server_that_sends_nothing_is_asked_once_more(server: RangeServer, tmp_path: Path, how: str) -> None:
    server.misbehave = how
    told: list[str] = []
    with pytest.raises(Unreachable):
        pull(Web(timeout_s=0.2), wanted(server), tmp_path, waits=told.append)
    assert len(server.requests) == 2
    assert len(told) == 1
    assert told[0].endswith("asked again")
    assert server.url in told[0]


def test_a_server_that_refuses_connections_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSES_S", (0.0, 1.0, 3.0, 10.0, 30.0))
    began = time.monotonic()
    with pytest.raises(Unreachable, match="refused"):
        pull(Web(), Wanted(name="model.gguf", url="http://127.0.0.1:9/model.gguf"), tmp_path)
    assert time.monotonic() - began < 5


def test_a_size_that_no_file_has_is_the_server_s_claim(server: RangeServer, tmp_path: Path) -> None:
    stopped_half_way(server, tmp_path)
    with pytest.raises(ModelError, match="the server claims"):
        check_size(9 * 10**18, server.url)


def test_a_server_that_starts_anew_and_breaks_each_time_makes_no_progress(server: RangeServer, tmp_path: Path) -> None:
    server.misbehave, server.version = "short", ""  # no version: a part cannot be gone on with
    with pytest.raises(Unreachable):
        pull(Web(), wanted(server), tmp_path)
    assert len(server.requests) < 20


def test_a_page_instead_of_a_model_is_thrown_away(server: RangeServer, tmp_path: Path) -> None:
    (server.folder / "model.gguf").write_bytes(b"<html>sign in</html>")
    with pytest.raises(NotAModel, match="begins with b'<htm'") as told:
        pull(Web(), wanted(server, sha256="", size=None), tmp_path / "to")
    assert "login page" in str(told.value.hint)
    assert files(tmp_path / "to") == set()


def test_another_checksum_leaves_nothing(server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="checksum is") as told:
        pull(Web(), wanted(server, sha256="0" * 64), tmp_path)
    assert server.url in told.value.message
    assert files(tmp_path) == {"served"}


def test_another_size_is_refused_before_it_is_fetched(server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"has {len(DATA)} bytes, published are 5"):
        pull(Web(), wanted(server, size=5), tmp_path)
    assert files(tmp_path) == {"served"}


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_no_space_is_said_before_it_is_filled(
    server: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10, 9, 1 << 20))
    with pytest.raises(ModelError, match=r"2\.0 MiB are still to come, and 1\.0 MiB are free"):
        pull(Web(), wanted(server), tmp_path / "to")
    assert files(tmp_path / "to") == set()


def test_a_file_that_is_there_is_not_fetched_again(server: RangeServer, tmp_path: Path) -> None:
    pull(Web(), wanted(server), tmp_path)
    server.requests.clear()
    assert pull(Web(), wanted(server), tmp_path).fetched_bytes == 0
    assert server.requests == []


def test_another_file_of_that_name_stays_until_it_may_go(server: RangeServer, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"mine")
    with pytest.raises(ModelError, match="is another file"):
        pull(Web(), wanted(server), tmp_path)
    assert (tmp_path / "model.gguf").read_bytes() == b"mine"
    assert pull(Web(), wanted(server), tmp_path, overwrite=True).bytes == len(DATA)


def test_from_a_mirror_on_this_machine(server: RangeServer, tmp_path: Path) -> None:
    local = Wanted(name="a/model.gguf", path=str(server.folder / "model.gguf"), bytes=len(DATA), sha256=SHA)
    assert pull(Web(), local, tmp_path / "to").checked
    assert (tmp_path / "to/a/model.gguf").read_bytes() == DATA
    with pytest.raises(ModelError, match="cannot be read"):
        pull(Web(), Wanted(name="x", path=str(tmp_path / "none")), tmp_path / "to")


def test_a_folder_that_cannot_be_made_is_named(server: RangeServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        pull(Web(), wanted(server), tmp_path / "file" / "to")
