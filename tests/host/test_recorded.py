"""Recordings: written whole or not at all, and read with bounds whatever is in them."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import resource
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfit.errors import MemfitError, NeedsRoot, ProbeError
from memfit.host import Disk, LocalHost, Manifest, open_host
from memfit.host.record import record, take, write_recording
from memfit.host.recorded import RecordedHost
from memfit.host.snapshot import Snapshot
from memfit.units import GIB, MIB

SNAPSHOT = Snapshot(
    name="orin",
    taken="2026-01-02T03:04:05+00:00",
    python="3.10.12",
    uid=1000,
    patterns=("/etc/*", "/proc/meminfo", "/proc/[0-9]*/smaps_rollup", "/sys/kernel/debug/*", "/data"),
    files={"/etc/os-release": b"NAME=x\n", "/proc/meminfo": b"MemTotal: 1 kB\n", "/etc/caf\udce9": b"", "/cut": b"a"},
    folders={"/etc": ("caf\udce9", "os-release", "shadow")},
    links={"/etc/mtab": "../proc/self/mounts", "/data": "/mnt/data"},
    refused={
        "/proc/7/smaps_rollup": "permission",
        "/proc/9/smaps_rollup": "No such process",
        "/sys/kernel/debug": "permission",
    },
    cut=("/cut",),
    disks={"/": Disk(total_bytes=100, free_bytes=10), "/mnt/data": Disk(total_bytes=7, free_bytes=3)},
    peak_bytes=9 * MIB,
)
META = {"recording": 1, "name": "orin"}
Member = tuple[str, bytes]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    write_recording(SNAPSHOT, tmp_path / "r.tar.gz")
    return tmp_path / "r.tar.gz"


def unpacked(recording: Path) -> Path:
    folder = recording.parent / "unpacked"
    with tarfile.open(recording) as archive:
        for member in archive:
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None
            target.write_bytes(content.read())
    return folder


def archive(path: Path, *members: Member | tarfile.TarInfo, meta: dict[str, Any] | None = META) -> Path:
    named: list[Member | tarfile.TarInfo] = [] if meta is None else [("meta.json", json.dumps(meta).encode())]
    with tarfile.open(path, "w:gz") as packed:
        for member in (*named, *members):
            if isinstance(member, tarfile.TarInfo):
                packed.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            packed.addfile(info, io.BytesIO(member[1]))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ProbeError) as refused:
        RecordedHost(path)
    assert str(refused.value).startswith(str(path)), refused.value
    return str(refused.value)


def test_the_round_trip(recording: Path) -> None:
    for host in (RecordedHost(recording), RecordedHost(unpacked(recording))):
        assert dict(host.snapshot.files) == dict(SNAPSHOT.files)
        assert host.name == "orin"
        assert host.live
        assert not host.redacted
        for field in (
            "taken",
            "python",
            "uid",
            "patterns",
            "folders",
            "links",
            "refused",
            "cut",
            "disks",
            "peak_bytes",
        ):
            assert getattr(host.snapshot, field) == getattr(SNAPSHOT, field)


def test_it_raises_what_the_machine_would_have_raised(recording: Path) -> None:
    host = RecordedHost(recording)
    assert host.read_bytes("/etc/os-release", most=4) == b"NAME"
    assert host.list_dir("/etc/") == ("caf\udce9", "os-release", "shadow")
    assert host.read_link("/etc/mtab") == "../proc/self/mounts"
    for path in ("/proc/7/smaps_rollup", "/sys/kernel/debug/nvmap/iovmm/clients", "/sys/kernel/debug"):
        with pytest.raises(NeedsRoot) as needs:
            host.read_bytes(path)
        assert "record again as root" in str(needs.value.hint)
    with pytest.raises(ProbeError, match="/proc/9/smaps_rollup: No such process"):
        host.read_bytes("/proc/9/smaps_rollup")
    with pytest.raises(ProbeError, match="/etc/hostname: No such file"):
        host.read_bytes("/etc/hostname")
    with pytest.raises(ProbeError, match="/etc/mtab: No such file"):
        host.read_bytes("/etc/mtab")  # it points to what was not recorded
    with pytest.raises(ProbeError, match="not a regular file"):
        host.read_bytes("/etc")
    with pytest.raises(ProbeError, match="not a folder"):
        host.list_dir("/etc/os-release")
    with pytest.raises(ProbeError, match="no link"):
        host.read_link("/etc/os-release")
    with pytest.raises(ProbeError, match="not among what was recorded") as not_asked:
        host.read_bytes("/usr/lib/os-release")
    assert "older memfit" in str(not_asked.value.hint)
    assert not isinstance(not_asked.value, NeedsRoot)


def test_globs_and_links_within_a_recording(recording: Path) -> None:
    host = RecordedHost(recording)
    assert host.glob("/proc/[0-9]*/smaps_rollup") == ("/proc/7/smaps_rollup", "/proc/9/smaps_rollup")
    assert host.glob("/proc/[0-9]*") == ("/proc/7", "/proc/9")
    assert host.glob("/etc/os*") == ("/etc/os-release",)
    assert host.glob("/etc/s*") == ("/etc/shadow",)  # listed, and not read
    assert host.glob("/nothing/*") == ()
    assert host.glob("/etc/mtab") == ("/etc/mtab",)
    assert host.disk("/etc").total_bytes == 100
    assert host.disk("/data").total_bytes == 7
    assert host.disk("/mnt/data/models").total_bytes == 7
    with pytest.raises(ProbeError):
        host.disk("/etc/nothing")


def test_links_in_circles_end() -> None:
    from memfit.host.snapshot import SnapshotHost

    host = SnapshotHost(Snapshot(name="x", taken="", links={"/a": "b", "/b": "/a", "/c": "../../..", "/d": "d/d"}))
    for path in ("/a", "/b/x", "/c", "/d/d/d"):
        with pytest.raises(ProbeError):
            host.read_bytes(path)
    assert host.read_link("/a") == "b"


def test_equal_snapshots_are_equal_bytes(recording: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar.gz"
    write_recording(take(RecordedHost(recording), Manifest(paths=())), again)
    assert again.read_bytes() == recording.read_bytes()


def test_one_made_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "orin"
    (folder / "files/sys/class/thermal/thermal_zone0").mkdir(parents=True)
    (folder / "files/sys/class/thermal/thermal_zone0/temp").write_text("42000\n")
    (folder / "meta.json").write_text(json.dumps(META))
    packed = tmp_path / "orin.tar.gz"
    subprocess.run(["tar", "-C", str(folder), "-czf", str(packed), "."], check=True)
    for host in (RecordedHost(folder), RecordedHost(packed), open_host(root=str(folder), paths=())):
        assert host.door == "recorded"
        assert host.list_dir("/sys/class/thermal") == ("thermal_zone0",)
        assert host.glob("/sys/class/*/*/temp") == ("/sys/class/thermal/thermal_zone0/temp",)
        assert host.read_bytes("/sys/class/thermal/thermal_zone0/temp") == b"42000\n"
        with pytest.raises(ProbeError, match="No such file"):
            host.read_bytes("/proc/meminfo")
        with pytest.raises(ProbeError):
            host.disk("/")


def test_from_an_open_file(recording: Path) -> None:
    with recording.open("rb") as file:
        assert RecordedHost(file).name == "orin"


def test_only_its_owner_may_read_it(recording: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    shared = tmp_path / "shared.tar.gz"
    write_recording(SNAPSHOT, shared, redact=True)
    assert stat.S_IMODE(shared.stat().st_mode) & 0o600 == 0o600
    assert RecordedHost(shared).redacted


def test_a_failed_write_leaves_what_was_there(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, names = recording.read_bytes(), sorted(tmp_path.iterdir())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MemfitError, match="No space left"):
        write_recording(SNAPSHOT, recording)
    assert recording.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == names


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no/r.tar.gz", Path("/dev/null"), Path("/proc/r.tar.gz")):
        with pytest.raises(MemfitError, match="cannot write"):
            write_recording(SNAPSHOT, path)
    assert Path("/dev/null").is_char_device()


def test_a_link_to_it_stays_a_link(recording: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.tar.gz"
    link.symlink_to(recording)
    write_recording(SNAPSHOT, link)
    assert link.is_symlink()
    assert RecordedHost(link).name == "orin"


def test_this_machine_as_it_is_now(tmp_path: Path) -> None:
    manifest = Manifest(paths=("/proc/meminfo", "/etc/os-release", "/proc/[0-9]*/smaps_rollup"))
    told = record(LocalHost(), manifest, tmp_path / "r.tar.gz")
    host = RecordedHost(tmp_path / "r.tar.gz")
    assert host.name == os.uname().nodename
    assert host.read_bytes("/etc/os-release") == LocalHost().read_bytes("/etc/os-release")
    assert host.glob("/proc/[0-9]*") == told.glob("/proc/[0-9]*")
    assert host.read_bytes(f"/proc/{os.getpid()}/smaps_rollup") == told.read_bytes(f"/proc/{os.getpid()}/smaps_rollup")


# --- archives that somebody else made


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


@pytest.mark.parametrize(
    "member",
    [
        ("files/../../etc/passwd", b"x"),
        ("../files/x", b"x"),
        ("/files/x", b"x"),
        ("files//x", b"x"),
        ("files/./x", b"x"),
        ("files/x/..", b"x"),
        ("elsewhere/x", b"x"),
        ("meta.json", b"{}"),
        special("files/x", tarfile.SYMTYPE, "/etc/passwd"),
        special("files/x", tarfile.SYMTYPE, "../../../etc/passwd"),
        special("files/x", tarfile.LNKTYPE, "/etc/passwd"),
        special("files/x", tarfile.LNKTYPE, "meta.json"),
        special("files/x", tarfile.CHRTYPE),
        special("files/x", tarfile.BLKTYPE),
        special("files/x", tarfile.FIFOTYPE),
        special("files/x", tarfile.CONTTYPE),
        special("files/../..", tarfile.DIRTYPE),
        special("/etc/", tarfile.DIRTYPE),
    ],
    ids=lambda member: f"{member.name} {member.type!r}" if isinstance(member, tarfile.TarInfo) else str(member),
)
def test_what_does_not_belong_in_an_archive(tmp_path: Path, member: Member | tarfile.TarInfo) -> None:
    refusal(archive(tmp_path / "r.tar.gz", member))


def test_the_same_file_twice(tmp_path: Path) -> None:
    assert "twice" in refusal(archive(tmp_path / "r.tar.gz", ("files/x", b"1"), ("files/x", b"2")))
    assert "twice" in refusal(archive(tmp_path / "r.tar.gz", ("files/x", b"1"), ("./files/x", b"2")))


def test_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    assert "lies in a file" in refusal(archive(tmp_path / "r.tar.gz", ("files/x", b"1"), ("files/x/y", b"2")))


@pytest.mark.parametrize(
    "meta",
    [
        None,
        {},
        {"recording": 1},
        {"recording": "1", "name": "x"},
        {"recording": 2, "name": "x"},
        {"recording": 1, "name": "x", "links": {"relative": "/x"}},
        {"recording": 1, "name": "x", "links": {"/a/../b": "/x"}},
        {"recording": 1, "name": "x", "folders": {"/a": [1]}},
        {"recording": 1, "name": "x", "disks": {"/": {"total_bytes": "many", "free_bytes": 0}}},
        {"recording": 1, "name": "x", "files": {"/not/there": 3}},
        {"recording": 1, "name": "x", "files": {}},
    ],
)
def test_a_meta_json_that_is_none(tmp_path: Path, meta: dict[str, Any] | None) -> None:
    refusal(archive(tmp_path / "r.tar.gz", ("files/x", b"1"), meta=meta))


@pytest.mark.parametrize("raw", [b"", b"[" * 100_000, b"\xff", b'{"recording": 1, "name": "x"', b"null"])
def test_a_meta_json_of_nonsense(tmp_path: Path, raw: bytes) -> None:
    refusal(archive(tmp_path / "r.tar.gz", ("meta.json", raw), meta=None))


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    assert "newer memfit" in refusal(archive(tmp_path / "r.tar.gz", meta={"recording": 2, "name": 5}))


def test_a_folder_that_leads_out(recording: Path, tmp_path: Path) -> None:
    folder = unpacked(recording)
    (tmp_path / "secret").write_text("secret")
    (folder / "files/etc/hostname").symlink_to(tmp_path / "secret")
    assert "is a link" in refusal(folder)
    (folder / "files/etc/hostname").unlink()
    os.mkfifo(folder / "files/etc/hostname")
    assert "is a link or a device" in refusal(folder)
    (folder / "files/etc/hostname").unlink()
    RecordedHost(folder)
    (folder / "meta.json").unlink()
    (folder / "meta.json").symlink_to("/etc/passwd")
    assert "meta.json" in refusal(folder)


def test_a_folder_that_changes_after_it_was_opened(recording: Path, tmp_path: Path) -> None:
    folder = unpacked(recording)
    host = RecordedHost(folder)
    (tmp_path / "secret").write_text("secret")
    release = folder / "files/etc/os-release"
    release.unlink()
    release.symlink_to(tmp_path / "secret")
    with pytest.raises(ProbeError):
        host.read_bytes("/etc/os-release")


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "r.tar.gz"
    for content in (b"", b"text", gzip.compress(b"text"), gzip.compress(b"\0" * 10240), b"\x1f\x8b" + b"\0" * 100):
        path.write_bytes(content)
        refusal(path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe")
    assert "No such file" in refusal(tmp_path / "nothing")
    assert "meta.json" in refusal(tmp_path)


def test_cut_anywhere_it_is_refused(recording: Path, tmp_path: Path) -> None:
    whole = recording.read_bytes()
    path = tmp_path / "cut.tar.gz"
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        refusal(path)


def test_cut_before_it_was_packed(recording: Path, tmp_path: Path) -> None:
    """A tar archive has no mark at its end that must be there: files that were recorded must."""
    whole = gzip.decompress(recording.read_bytes())
    path = tmp_path / "cut.tar.gz"
    last = whole.rstrip(b"\0")
    for end in range(0, len(last), 512):
        path.write_bytes(gzip.compress(whole[:end], 1))
        refusal(path)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_anywhere_it_is_read_or_refused(recording: Path, tmp_path: Path, data: st.DataObject) -> None:
    plain = bytearray(gzip.decompress(recording.read_bytes()))
    for _ in range(data.draw(st.integers(1, 4))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.tar.gz"
    path.write_bytes(gzip.compress(bytes(plain), 1))
    with contextlib.suppress(ProbeError):
        RecordedHost(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000))
def test_anything_packed_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.tar.gz"
    path.write_bytes(gzip.compress(content, 1))
    with contextlib.suppress(ProbeError):
        RecordedHost(path)


def test_long_chains_of_names_do_not_exhaust_the_stack(tmp_path: Path) -> None:
    path = tmp_path / "chain.tar.gz"
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 2
    block = header.tobuf(tarfile.GNU_FORMAT) + b"x".ljust(512, b"\0")
    path.write_bytes(gzip.compress(block * 5000))
    refusal(path)


# Bounds: measured in a process of its own, which may take no more than this
_BOUND_BYTES = 600 * MIB
_CHILD = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, ({bound}, {bound}))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from memfit.errors import ProbeError
from memfit.host.recorded import RecordedHost
try:
    RecordedHost(Path(sys.argv[1]))
except ProbeError as error:
    print(error)
"""


def bounded_refusal(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(bound=_BOUND_BYTES), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert str(path) in done.stdout
    return done.stdout


def test_ten_gigabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "r.tar.gz"
    with path.open("wb") as file:
        file.truncate(10 * GIB)  # a hole: takes no space
    assert "10.7 GB" in bounded_refusal(path)


def bomb(path: Path, head: bytes, size: int) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(head)
        for _ in range(size // (8 * MIB)):
            packed.write(bytes(8 * MIB))
    return path


def test_what_unpacks_to_gigabytes(tmp_path: Path) -> None:
    info = tarfile.TarInfo("files/x")
    info.size = 2 * GIB
    head = info.tobuf()
    assert "more than a recording can be" in bounded_refusal(bomb(tmp_path / "file.tar.gz", head, GIB // 4))
    extended = tarfile.TarInfo("files/x")
    extended.type = tarfile.XHDTYPE  # a header that tarfile reads into memory
    extended.size = 2 * GIB
    assert "more than a recording can be" in bounded_refusal(
        bomb(tmp_path / "header.tar.gz", extended.tobuf(), GIB // 4)
    )
    for path in tmp_path.iterdir():
        path.unlink()


def test_many_empty_members_of_gzip(tmp_path: Path) -> None:
    path = tmp_path / "members.tar.gz"
    with path.open("wb") as file:
        empty = gzip.compress(b"") * 10_000
        for _ in range(600):  # 120 MB that unpack to nothing
            file.write(empty)
    bounded_refusal(path)
    path.unlink()


def test_many_members(tmp_path: Path) -> None:
    path = tmp_path / "members.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for number in range(25_000):
            packed.write(tarfile.TarInfo(f"files/{number}").tobuf())
    assert "more than a recording can be" in bounded_refusal(path)


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(json.dumps(META))
    (tmp_path / "files").mkdir()
    with (tmp_path / "files/x").open("wb") as file:
        file.truncate(GIB)
    path = tmp_path / "r.tar.gz"
    for form in ("gnu", "posix"):
        command = ["tar", "-S", f"--format={form}", "-C", str(tmp_path), "-czf", str(path), "meta.json", "files"]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("this tar makes no sparse archives")
        assert "hole" in bounded_refusal(path) or "sparse" in bounded_refusal(path).lower()


def test_reading_takes_little_memory(recording: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    RecordedHost(recording)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB
