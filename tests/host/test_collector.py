"""The program that is sent to a machine."""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memfit.errors import NeedsRoot, ProbeError
from memfit.host import LocalHost, Manifest, _collector, _rules
from memfit.host._collect import collect
from memfit.host._program import PYTHON_OPTIONS, program
from memfit.host._stream import Nonsense, Stream
from memfit.host.record import take
from memfit.host.snapshot import Snapshot, SnapshotHost
from memfit.units import MIB

SOURCES = [Path(str(part.__file__)).read_text(encoding="utf-8") for part in (_rules, _collector)]
HERE = (sys.executable, *PYTHON_OPTIONS)


def collected(*paths: object, **limits: float) -> Snapshot:
    return collect(HERE, Manifest(paths=tuple(map(str, paths)), **limits), None)  # type: ignore[arg-type]


def old_python() -> str | None:
    """The oldest Python that may run it, where there is one."""
    kept = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    found = [str(path) for path in sorted(kept.glob("3.8*/bin/python3.8"))]
    return next(iter(found), None)


def hear(stream: Stream, said: bytes, *, times: int = 1) -> None:
    for _ in range(times):
        stream.feed(said)
    stream.snapshot()


def test_its_syntax_is_that_of_the_oldest_python() -> None:
    for source in SOURCES:
        ast.parse(source, feature_version=(3, 8))
    text, _ = program(Manifest(paths=("/a\n'\"\\é",)))
    ast.parse(text)


def test_it_needs_the_standard_library_alone() -> None:
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for source in SOURCES
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    # the rules are no import where it runs: they stand before it in one text
    assert {name.partition(".")[0] for name in imported - {"memfit.host._rules"}} <= sys.stdlib_module_names


def test_the_oldest_python_runs_it() -> None:
    python = old_python()
    if python is None:
        pytest.skip("no Python 3.8 here: pyenv install 3.8")
    paths = ("/proc/meminfo", "/proc/self/mounts", "/proc/[0-9]*/smaps_rollup", "/etc/os-release", "/sys/block")
    there = collect((python, *PYTHON_OPTIONS), Manifest(paths=paths), None)
    assert there.python.startswith("3.8.")
    assert there.files["/etc/os-release"] == Path("/etc/os-release").read_bytes()
    assert any(path.endswith("/smaps_rollup") for path in there.files)
    assert "/" in there.disks
    assert there.peak_bytes is not None
    assert there.peak_bytes < 20 * MIB


def test_its_memory_does_not_grow_with_what_it_reads(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}").write_bytes(bytes(6 * MIB))
    taken = collected(f"{tmp_path}/*")
    assert sum(map(len, taken.files.values())) == 48 * MIB
    assert taken.peak_bytes is not None
    assert taken.peak_bytes < 20 * MIB


def test_nothing_that_blocks_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "tty").symlink_to("/dev/tty")
    (tmp_path / "null").symlink_to("/dev/null")
    began = time.monotonic()
    taken = collected(f"{tmp_path}/*", "/proc/kmsg", "/proc/kpagecount", "/proc/self/pagemap", "/proc/self/environ")
    assert time.monotonic() - began < 30
    assert not taken.files
    assert taken.links[f"{tmp_path}/link"] == "pipe"
    host = SnapshotHost(taken)
    for path in (f"{tmp_path}/pipe", f"{tmp_path}/link", f"{tmp_path}/null", "/proc/kmsg", "/proc/self/environ"):
        with pytest.raises(ProbeError):
            host.read_bytes(path)
    for path in (f"{tmp_path}/pipe", f"{tmp_path}/tty", "/proc/kmsg", "/dev/watchdog0"):
        with pytest.raises(ProbeError):
            LocalHost().read_bytes(path)


def test_secrets_are_not_sent(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519").write_text("secret")
    assert not collected(f"{folder}/*", "/etc/shadow", "/proc/[0-9]*/environ").files


def test_a_call_that_does_not_come_back_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stuck").write_text("x")
    (tmp_path / "well").write_text("y")
    really = _rules.open_to_read

    def open_slowly(path: str, folder: int | None = None) -> int:
        if path.endswith("stuck"):
            time.sleep(60)
        return really(path, folder)

    monkeypatch.setattr(_collector, "open_to_read", open_slowly)
    manifest = Manifest(paths=(f"{tmp_path}/*",), file_s=0.05)
    out = io.BytesIO()
    import signal

    before = signal.getsignal(signal.SIGALRM)
    try:
        _collector._Collector(
            {**{name: getattr(manifest, name) for name in manifest.__struct_fields__}, "marker": "mark"}, out
        ).run()
    finally:
        signal.signal(signal.SIGALRM, before)
    stream = Stream("mark", manifest)
    stream.feed(out.getvalue())
    taken = stream.snapshot()
    assert taken.refused == {f"{tmp_path}/stuck": "no answer within 0.05 s"}
    assert taken.files == {f"{tmp_path}/well": b"y"}


def test_its_own_time_ends(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="longer than 0 s"):
        collected("/proc/[0-9]*/status", total_s=0)


def test_limits_of_one_file_of_all_and_of_names(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x" * 100)
    one = collected(f"{tmp_path}/a", most_file_bytes=10)
    assert (one.files[f"{tmp_path}/a"], one.cut) == (b"x" * 10, (f"{tmp_path}/a",))
    whole = collected(f"{tmp_path}/a", most_file_bytes=100)
    assert not whole.cut
    both = collected(f"{tmp_path}/*", most_bytes=150)
    assert [len(content) for content in both.files.values()] == [100, 50]
    assert both.cut == (f"{tmp_path}/b",)
    assert "too large" in both.refused[f"{tmp_path}/c"]
    assert "too many" in collected(tmp_path, most_names=2).refused[str(tmp_path)]


def test_what_only_root_may_read_is_told_as_such() -> None:
    python, lower = Path("/usr/bin/python3"), shutil.which("setpriv")
    if os.geteuid() == 0 and (lower is None or not python.exists()):
        pytest.skip("no setpriv or no system Python here, to give root up")
    nobody = () if os.geteuid() else (str(lower), "--reuid=65534", "--regid=65534", "--clear-groups")
    paths = ("/proc/1/smaps_rollup", "/proc/[0-9]*/smaps_rollup", "/proc/1/fd/*", "/proc/1/status")
    taken = collect((*nobody, str(python), *PYTHON_OPTIONS), Manifest(paths=paths), None)
    assert taken.uid != 0
    assert taken.refused["/proc/1/smaps_rollup"] == "permission"
    host = SnapshotHost(taken)
    for path in ("/proc/1/smaps_rollup", "/proc/1/fd/0"):
        with pytest.raises(NeedsRoot):
            host.read_bytes(path)
    assert host.read_bytes("/proc/1/status")


def test_programs_are_named_and_not_sent() -> None:
    taken = collected(os.path.realpath(sys.executable))
    assert not taken.files
    with pytest.raises(ProbeError, match="program"):
        SnapshotHost(taken).read_bytes(os.path.realpath(sys.executable))


def test_names_need_not_be_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n")
    (tmp_path / name).write_text("x")
    taken = collected(f"{tmp_path}/*", tmp_path)
    assert taken.files == {f"{tmp_path}/{name}": b"x"}
    assert taken.folders[str(tmp_path)] == (name,)


def test_what_counts_memory_is_read_last_and_together() -> None:
    patterns = ("/proc/[0-9]*/smaps_rollup", "/proc/meminfo", "/etc/os-release", "/proc/[0-9]*/status")
    assert sorted(patterns, key=_rules.rank) == [
        "/etc/os-release",
        "/proc/[0-9]*/status",
        "/proc/meminfo",
        "/proc/[0-9]*/smaps_rollup",
    ]


def test_what_the_kernel_log_holds_is_read_without_waiting() -> None:
    try:
        text = LocalHost().read_bytes("/dev/kmsg", most=1 << 24)
    except ProbeError as error:
        pytest.skip(str(error))
    taken = collected("/dev/kmsg", most_file_bytes=1 << 24)
    for records in (text, taken.files["/dev/kmsg"], LocalHost().read_bytes("/dev/kmsg", most=5000)):
        numbers = [int(found) for found in re.findall(rb"^\d+,(\d+),\d+,", records, re.M)]
        assert numbers  # and whatever the size, it ends with a whole record and not in an error
        assert numbers == sorted(set(numbers))
        assert records.endswith(b"\n")


def test_a_process_that_ends_meanwhile_is_no_failure() -> None:
    children = [subprocess.Popen(["sleep", str(0.02 * number)]) for number in range(30)]
    for _ in range(3):
        taken = collected("/proc/[0-9]*/status", "/proc/[0-9]*/smaps_rollup")
        assert f"/proc/{os.getpid()}/status" in taken.files
    for child in children:
        child.wait()


def test_the_stream_in_any_pieces(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\n{" * 500)
    (tmp_path / "empty").touch()
    manifest = Manifest(paths=(f"{tmp_path}/*",))
    text, marker = program(manifest)
    said = subprocess.run(HERE, input=text, capture_output=True, check=True).stdout
    whole = Stream(marker, manifest)
    whole.feed(said)
    for size in (1, 7, 1000):
        stream = Stream(marker, manifest)
        for start in range(0, len(said), size):
            assert not stream.finished
            stream.feed(said[start : start + size])
        assert stream.finished
        assert stream.snapshot() == whole.snapshot()
    assert whole.snapshot().files == {f"{tmp_path}/a": b"\n{" * 500, f"{tmp_path}/empty": b""}
    for end in range(len(said)):  # cut anywhere, it is not taken for whole
        stream = Stream(marker, manifest)
        stream.feed(said[:end])
        assert stream.finished == (end == len(said))


@pytest.mark.parametrize(
    "said",
    [
        b"[]\n",
        b"nonsense\n",
        b'{"kind": "nothing", "path": "/"}\n',
        b'{"kind": "file"}\n',
        b"[" * 100_000 + b"\n",
        b'{"kind": "end"}\n',
        b'{"kind": "machine", "name": "x", "python": "3", "uid": "many", "time": 0}\n{"kind": "end"}\n',
        b'{"kind": "machine", "name": "x", "python": "3", "uid": 0, "time": 1e300}\n{"kind": "end"}\n',
        b"x" * (17 << 20),
    ],
)
def test_nonsense_is_told_as_such(said: bytes) -> None:
    stream = Stream("mark", Manifest(paths=()))
    stream.feed(b"\nmark\n")
    with pytest.raises(Nonsense):
        hear(stream, said)


def test_an_answer_without_end_is_refused() -> None:
    stream = Stream("mark", Manifest(paths=(), most_bytes=1000))
    stream.feed(b"\nmark\n")
    with pytest.raises(Nonsense, match="without end"):
        hear(stream, b'{"kind": "refused", "path": "/a", "why": ""}\n' * 1000, times=1 << 20)


def test_without_a_python_of_its_own_it_asks_through_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest(paths=("/etc/os-release", "/etc", "/proc/self/mounts", "/bin/sh", "/no", "/dev/null"))
    there = take(LocalHost(), manifest)
    monkeypatch.setattr(sys, "executable", "")
    here = take(LocalHost(), manifest)
    for table in ("files", "folders", "links"):
        assert dict(getattr(here, table)) == dict(getattr(there, table))
    assert set(here.refused) == set(there.refused)


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here: apt install strace")
def test_it_opens_nothing_for_writing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    text, _ = program(Manifest(paths=("/proc/meminfo", "/sys/class/*/*/address", "/etc/*")))
    traced = subprocess.run(
        ["strace", "-f", "-o", str(log), "-e", "trace=file", *HERE], input=text, capture_output=True, check=False
    )
    if not log.exists() or traced.returncode:
        pytest.skip("strace may not trace here")
    for line in log.read_text(errors="replace").splitlines():
        assert not any(flag in line for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "mkdir(", "unlink(", "rename(")), line
