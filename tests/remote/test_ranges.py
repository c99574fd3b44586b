"""Headers of models on a server: how little of them is fetched, and what becomes of servers that lie."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from big_header import write_model
from memfit.errors import ModelError, Unreachable
from memfit.model.gguf import read_header
from memfit.remote import RemoteFile, Web, ranges, web
from range_server import RangeServer, serving

NAME = "Llama-3.1-8B-Q4_K_M.gguf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def header_bytes(folder: Path) -> int:
    return write_model(folder / NAME)


@pytest.fixture
def server(folder: Path, header_bytes: int) -> Iterator[RangeServer]:
    assert header_bytes
    with serving(folder) as running:
        yield running


def read(server: RangeServer, kept: Path) -> None:
    remote = RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", kept)
    local = read_header(server.folder / NAME)
    found = read_header(remote.path, remote=remote)
    assert found.tensors == local.tensors
    assert found.metadata == local.metadata
    assert found.arrays == local.arrays
    assert found.file_bytes == local.file_bytes


def test_the_header_of_5_gb_takes_little_more_than_its_bytes(
    server: RangeServer, tmp_path: Path, header_bytes: int
) -> None:
    assert (server.folder / NAME).stat().st_size > 4.5e9
    assert header_bytes > 5e6
    read(server, tmp_path)
    assert server.sent_bytes <= max(1.05 * header_bytes, header_bytes + 256 * 1024)
    assert len(server.requests) <= 8
    taken = sum(file.stat().st_blocks * 512 for file in tmp_path.rglob("*.gguf"))
    assert taken < 2 * header_bytes


@pytest.mark.parametrize(("tokens", "merges"), [(32000, 0), (262144, 500000), (8, 0), (50257, 50000)])
def test_so_do_smaller_and_larger_vocabularies(
    tokens: int, merges: int, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = tmp_path_factory.mktemp("other")
    header_bytes = write_model(folder / NAME, "qwen3_0_6b", tokens=tokens, merges=merges)
    with serving(folder) as server:
        read(server, tmp_path)
        assert server.sent_bytes <= max(1.05 * header_bytes, header_bytes + 256 * 1024)
        assert len(server.requests) <= 8


def test_what_was_fetched_is_not_fetched_again(server: RangeServer, tmp_path: Path) -> None:
    read(server, tmp_path)
    server.sent_bytes = 0
    read(server, tmp_path)
    assert server.sent_bytes == 1


def test_a_new_version_is_fetched_anew(server: RangeServer, tmp_path: Path, header_bytes: int) -> None:
    read(server, tmp_path)
    server.sent_bytes, server.version = 0, '"two"'
    read(server, tmp_path)
    assert server.sent_bytes > header_bytes / 2


def test_without_a_network_what_was_read_is_still_there(folder: Path, header_bytes: int, tmp_path: Path) -> None:
    with serving(folder) as server:
        read(server, tmp_path)
        url = server.url
    remote = RemoteFile(Web(timeout_s=2), f"{url}/{NAME}", tmp_path)
    assert read_header(remote.path, remote=remote).file_bytes > header_bytes


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be reached") as told:
        RemoteFile(Web(timeout_s=2), "http://127.0.0.1:9/model.gguf", tmp_path)
    assert "without a network" in (told.value.hint or "")


def test_a_dropped_connection_is_taken_up_where_it_broke(server: RangeServer, tmp_path: Path) -> None:
    remote = RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", tmp_path)
    server.misbehave = "drop"
    assert read_header(remote.path, remote=remote).tensors
    assert server.dropped


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("whole", "sends whole files only"),
        ("other", "was asked for bytes 0 to"),
        ("unsized", "does not say which part"),
        ("short", "bytes too early"),
        ("loop", "redirects lead nowhere"),
        ("locked", "asks for a token"),
        ("broken", "in trouble"),
        ("stall", "does not answer|sent nothing|connection broke"),
    ],
)
def test_a_server_that_does_not_serve_is_named(how: str, message: str, server: RangeServer, tmp_path: Path) -> None:
    server.misbehave = how
    with pytest.raises(ModelError, match=message) as told:
        RemoteFile(Web(timeout_s=0.3), f"{server.url}/{NAME}", tmp_path)
    assert server.url in told.value.message
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_server_that_lies_about_the_size_is_refused(server: RangeServer, tmp_path: Path) -> None:
    remote = RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", tmp_path)
    server.misbehave = "grows"
    with pytest.raises(ModelError, match="said that it has"):
        read_header(remote.path, remote=remote)


def test_a_size_that_no_file_has_is_the_server_s_claim_and_not_this_disk_s_fault(
    server: RangeServer, tmp_path: Path
) -> None:
    server.misbehave = "boasts"
    with pytest.raises(ModelError, match="the server claims that it has 9000000000000000000 bytes") as refused:
        RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", tmp_path)
    assert server.url in refused.value.message
    assert not list(tmp_path.rglob("*.gguf"))


def test_a_whole_file_is_not_read_to_learn_that_there_are_no_ranges(server: RangeServer, tmp_path: Path) -> None:
    server.misbehave = "whole"
    with pytest.raises(ModelError, match="whole files only"):
        RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", tmp_path)
    assert server.sent_bytes < 64 << 20  # what fits the sockets' buffers, of 4.9 GB


def test_a_dripping_server_is_given_up(server: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE_S", 0.0)
    monkeypatch.setattr(web, "LEAST_BYTES_PER_S", 1 << 50)
    with pytest.raises(Unreachable, match=r"bytes in 0 s"):
        RemoteFile(Web(timeout_s=2), f"{server.url}/{NAME}", tmp_path)


@pytest.mark.parametrize("url", ["ftp://host/x.gguf", "http://", "http://[::1/x", "http://host:port/x", "http://a b/x"])
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no http or https address"):
        RemoteFile(Web(), url, tmp_path)


def test_a_name_stays_in_its_folder(server: RangeServer, tmp_path: Path) -> None:
    (server.folder / "x").mkdir(exist_ok=True)
    (server.folder / "x" / "..evil").write_bytes(b"GGUF" * 100)
    remote = RemoteFile(Web(), f"{server.url}/x/%2e%2eevil", tmp_path)
    assert remote.path.parent.parent == tmp_path
    assert remote.path.name == "evil"


def test_a_folder_that_cannot_be_written_is_named(server: RangeServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be kept here"):
        RemoteFile(Web(), f"{server.url}/{NAME}", tmp_path / "file")


def test_a_damaged_record_of_parts_is_not_believed(server: RangeServer, tmp_path: Path) -> None:
    read(server, tmp_path)
    for state in tmp_path.rglob("*.parts"):
        state.write_bytes(b'{"url":"x"')
    server.sent_bytes = 0
    read(server, tmp_path)
    assert server.sent_bytes > ranges.FIRST_BYTES


def test_the_token_goes_to_its_host_and_not_with_a_redirect(folder: Path, server: RangeServer, tmp_path: Path) -> None:
    with serving(folder) as elsewhere:
        server.redirects[f"/{NAME}"] = f"{elsewhere.url}/{NAME}"
        door = Web(lambda url: "secret" if url.startswith(server.url) else None)
        remote = RemoteFile(door, f"{server.url}/{NAME}", tmp_path)
        read_header(remote.path, remote=remote)
        assert server.tokens == ["Bearer secret"]  # asked once: then where it led to
        assert set(elsewhere.tokens) == {None}


def test_an_address_that_held_for_a_while_is_asked_for_again(folder: Path, server: RangeServer, tmp_path: Path) -> None:
    with serving(folder) as elsewhere:
        server.redirects[f"/{NAME}"] = f"{elsewhere.url}/{NAME}"
        remote = RemoteFile(Web(), f"{server.url}/{NAME}", tmp_path)
        elsewhere.misbehave = "locked"
        server.redirects.clear()
        assert read_header(remote.path, remote=remote).tensors


def test_proxies_of_the_environment_are_used(
    server: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ModelError, match="no such file"):
        RemoteFile(Web(timeout_s=2), "http://example.invalid/none.gguf", tmp_path)
    assert os.environ["http_proxy"]
    assert server.requests == ["/none.gguf bytes=0-262143"]
