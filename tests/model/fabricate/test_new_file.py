"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memfit.errors import MemfitError, UsageError
from memfit.model.new_file import new_file
from memfit.units import GIB

PIECE = bytes(range(256)) * 1024


@pytest.fixture(params=["nameless", "hidden"], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With files that have no name until they are whole, and on a file system that knows none such."""
    if request.param == "hidden":
        really = os.open

        def refuse(path: object, flags: int, *rest: object, **named: object) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "not supported")
            return really(path, flags, *rest, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", refuse)
    return str(request.param)


def write(path: Path, *, overwrite: bool = False, pieces: int = 3) -> str:
    with new_file(path, pieces * len(PIECE), overwrite=overwrite) as file:
        for _ in range(pieces):
            file.write(PIECE)
        return file.keep()


def test_a_whole_file_and_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    digest = write(path)
    assert path.read_bytes() == PIECE * 3
    assert digest == hashlib.sha256(PIECE * 3).hexdigest()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.gguf"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with new_file(tmp_path / "a", 2 * len(PIECE), overwrite=False, progress=lambda *at: seen.append(at)) as file:
        file.write(PIECE)
        file.write(PIECE)
        file.keep()
    assert seen == [(len(PIECE), 2 * len(PIECE)), (2 * len(PIECE), 2 * len(PIECE))]


def test_nothing_stays_where_it_is_not_kept(tmp_path: Path) -> None:
    def fail() -> None:
        with new_file(tmp_path / "model.gguf", len(PIECE), overwrite=False) as file:
            file.write(PIECE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_another_file_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists") as refusal:
        write(path)
    assert refusal.value.hint == "choose another name, or give --overwrite"
    assert path.read_bytes() == b"mine"
    write(path, overwrite=True)
    assert path.read_bytes() == PIECE * 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.gguf"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"mine")
    with new_file(path, len(PIECE), overwrite=True) as file:
        file.write(PIECE)
        assert path.read_bytes() == b"mine"
    assert path.read_bytes() == b"mine"


def test_a_file_that_someone_made_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with new_file(path, len(PIECE), overwrite=False) as file:
        file.write(PIECE)
        path.write_bytes(b"theirs")
        with pytest.raises(UsageError, match="exists"):
            file.keep()
    assert path.read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.gguf", tmp_path / "link.gguf"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link, overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == PIECE * 3


def test_places_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        write(tmp_path)
    with pytest.raises(MemfitError, match="no such folder"):
        write(tmp_path / "nowhere" / "model.gguf")
    with pytest.raises(UsageError, match="no regular file"):
        write(Path("/dev/null"), overwrite=True)


def test_space_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.statvfs(tmp_path)
    small = os.statvfs_result((4096, 4096, 10**6, 25600, 25600, *found[5:]))
    monkeypatch.setattr(os, "statvfs", lambda path: small)
    with (
        pytest.raises(MemfitError, match=r"has no room: the file needs 5120.0 MiB, 100.0 MiB are free"),
        new_file(tmp_path / "model.gguf", 5 * GIB, overwrite=False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * len(PIECE), before[1]))
    try:
        with pytest.raises(MemfitError, match=r"cannot write .*too large, 0.5 MiB of 0.8 MiB were written"):
            write(tmp_path / "model.gguf")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_no_model(tmp_path: Path, kind: str) -> None:
    if kind == "hidden":
        pytest.skip("the child would not know the changed function")
    path = tmp_path / "model.gguf"
    program = (
        "import sys; from pathlib import Path; from memfit.model.new_file import new_file\n"
        f"with new_file(Path({str(path)!r}), 1 << 24, overwrite=False) as file:\n"
        "    for _ in range(100):\n        file.write(bytes(1 << 16))\n"
        "    print('half', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half\n"
        child.kill()
    left = [entry.name for entry in tmp_path.iterdir()]
    assert "model.gguf" not in left
    # where the file system has files without names, as all usual ones of Linux, nothing else is left either
    assert left == [] or all(name.endswith(".partial") for name in left)


def test_the_hidden_name_is_short(tmp_path: Path) -> None:
    path = tmp_path / ("m" * 250 + ".gguf")  # 255 bytes, as many as a name may have
    write(path)
    assert path.exists()
    assert time.time() - path.stat().st_mtime < 3600


def test_two_files_may_be_made_in_one_folder_at_once(tmp_path: Path) -> None:
    with new_file(tmp_path / "a", 1, overwrite=False) as one, new_file(tmp_path / "b", 1, overwrite=False) as other:
        one.write(b"a")
        other.write(b"b")
        assert one.sha256() != other.sha256()
        assert one.keep() == hashlib.sha256(b"a").hexdigest()
        other.keep()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "b").read_bytes() == b"b"
