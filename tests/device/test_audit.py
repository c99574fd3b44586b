from __future__ import annotations

import fnmatch
import sys
from pathlib import Path

import msgspec
import pytest
from trees import TreeHost, names, write_tree

from memfit.device.audit import audit, audit_paths, cuda_bytes
from memfit.device.audit_records import Audit
from memfit.device.facts import FACTS
from memfit.device.nvmap import NvMap
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Disk, LocalHost, Manifest
from memfit.host.record import record
from memfit.host.recorded import RecordedHost
from memfit.host.rootfs import RootfsHost
from memfit.units import GIB, KIB, MIB


@pytest.fixture(params=names())
def host(request: pytest.FixtureRequest, tmp_path: Path) -> TreeHost:
    return write_tree(request.param, tmp_path / "tree")


def test_every_tree_is_audited_whole(host: TreeHost) -> None:
    found, written = audit(host), host.machine
    assert (found.l4t, found.stack.kernel) == (written.l4t, written.kernel)
    assert found.board is not None
    assert found.physical_bytes == written.dram * KIB
    assert found.linux_bytes == written.total * KIB
    assert found.available_bytes == written.available * KIB
    assert sum(term.bytes for term in found.terms) + (found.unexplained_bytes or 0) == found.physical_bytes
    assert {check.verdict for check in found.checks} >= {"passed"}
    assert found.power.mode is not None
    assert found.power.mode.name == written.modes[written.mode]
    assert len(found.processes) == len(written.programs)
    assert found.unseen == ()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Audit) == found


def test_a_desktop_and_its_mend(tmp_path: Path) -> None:
    found = audit(write_tree("orin-nano-8gb-desktop", tmp_path))
    checks = {check.name: check for check in found.checks}
    assert checks["desktop"].verdict == "failed"
    assert checks["qspi_firmware"].verdict == "passed"
    assert "nvpmodel -m 2" in (checks["power_mode"].mend or "")
    assert found.cuda_bytes is not None
    assert {row.role for row in found.processes} >= {"desktop", "audio", "snap", "ssh", "idle python"}


def test_the_release_with_failing_allocations_is_found(tmp_path: Path) -> None:
    found = audit(write_tree("agx-orin-64gb", tmp_path))
    assert found.l4t == "36.4.7"
    assert next(check.verdict for check in found.checks if check.name == "allocation_bug") == "failed"


def without_the_door(found: Audit) -> Audit:
    return msgspec.structs.replace(found, host="", door="", taken="")


def test_a_recording_gives_the_same_audit(host: TreeHost, tmp_path: Path) -> None:
    file = tmp_path / "recording.tar.gz"
    taken = record(host, Manifest(paths=audit_paths()), file)
    again = audit(RecordedHost(file))
    assert without_the_door(again) == without_the_door(audit(host))
    assert without_the_door(again) == without_the_door(audit(taken))


def test_an_image_has_what_is_installed_and_no_memory(tmp_path: Path) -> None:
    write_tree("orin-nano-8gb-desktop", tmp_path)
    found = audit(RootfsHost(tmp_path))
    assert found.l4t == "36.4.4"
    assert found.stack.cuda is not None
    assert (found.linux_bytes, found.available_bytes, found.cuda_bytes) == (None, None, None)
    assert [*found.terms, *found.processes, *found.reclaims] == []
    assert found.unexplained_bytes is None  # nothing was counted, so nothing is left over
    assert "image" in found.unseen[0]
    assert all(check.evidence for check in found.checks)


class Spy(TreeHost):
    """Notes every path that is asked for."""

    def __init__(self, host: TreeHost) -> None:
        super().__init__(host._inside._root, host.machine)  # type: ignore[union-attr]
        self.asked: set[str] = set()

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self.asked.add(path)
        return super().read_bytes(path, most=most)

    def list_dir(self, path: str) -> tuple[str, ...]:
        self.asked.add(path)
        return super().list_dir(path)

    def read_link(self, path: str) -> str:
        self.asked.add(path)
        return super().read_link(path)


def is_listed(path: str) -> bool:
    parts = path.split("/")
    return any(
        len(parts) == len(pattern.split("/")) and all(map(fnmatch.fnmatchcase, parts, pattern.split("/")))
        for pattern in audit_paths()
    )


def test_nothing_is_asked_for_that_a_recording_would_lack(host: TreeHost) -> None:
    spy = Spy(host)
    audit(spy)
    assert len(spy.asked) > 100
    assert [path for path in sorted(spy.asked) if not is_listed(path)] == []


class Unprivileged(TreeHost):
    """What somebody without root sees."""

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        guarded = (
            "/sys/kernel/debug/",
            "/proc/vmallocinfo",
            "/proc/slabinfo",
            "/dev/kmsg",
            "/var/log/",
            "/sys/firmware/",
        )
        if path.startswith(guarded) or (path.endswith("/smaps_rollup") and "/proc/2900/" not in path):
            raise NeedsRoot(f"{path}: only root may read it")
        if path == "/proc/iomem":
            return b"00000000-00000000 : System RAM\n"
        return super().read_bytes(path, most=most)

    def list_dir(self, path: str) -> tuple[str, ...]:
        if path.startswith("/sys/kernel/debug"):
            raise NeedsRoot(f"{path}: only root may read it")
        return super().list_dir(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        return () if pattern.startswith("/sys/kernel/debug") else super().glob(pattern)


def test_without_root_it_says_what_it_could_not_see(tmp_path: Path) -> None:
    tree = write_tree("orin-nano-8gb-desktop", tmp_path)
    found = audit(Unprivileged(tmp_path, tree.machine))
    seen = " ".join(found.unseen)
    for what in ("processes", "NvMap", "vmallocinfo", "slabinfo", "boot", "addresses"):
        assert what in seen
    assert found.physical_bytes == 8 * GIB
    assert sum(term.bytes for term in found.terms) + (found.unexplained_bytes or 0) == 8 * GIB
    unread = [row for row in found.processes if row.pss_bytes is None]
    assert len(unread) == len(found.processes) - 1
    assert all(row.rss_bytes for row in unread)


def test_debugfs_that_is_not_mounted_is_told_apart(tmp_path: Path) -> None:
    import shutil

    tree = write_tree("orin-nano-8gb-desktop", tmp_path)
    shutil.rmtree(tmp_path / "sys/kernel/debug")
    (tmp_path / "sys/kernel/debug").mkdir()
    assert any("not mounted" in sentence for sentence in audit(tree).unseen)


def test_rows_of_nvmap_without_a_size_are_told(tmp_path: Path) -> None:
    tree = write_tree("orin-nano-8gb-desktop", tmp_path)
    (tmp_path / "sys/kernel/debug/nvmap/iovmm/clients").write_text("CLIENT PROCESS PID\nuser gem 4481\n")
    assert any("without a name or a size: 1" in sentence for sentence in audit(tree).unseen)


def test_a_machine_that_is_no_jetson(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": "MemTotal: 1000000 kB\nMemFree: 600000 kB\nMemAvailable: 700000 kB\nCached: 300000 kB\n",
        "proc/uptime": "1000.00 1.0\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = audit(LocalHost(tmp_path))
    assert (found.board, found.l4t, found.cuda_bytes, found.engines) == (None, None, None, ())
    assert found.physical_bytes == found.linux_bytes == 1_000_000 * KIB
    assert found.unexplained_bytes == 100_000 * KIB
    assert "not applicable" in {check.verdict for check in found.checks}


def test_what_runs_and_is_no_linux_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProbeError, match="meminfo"):
        audit(LocalHost(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ProbeError, match="darwin") as refused:
        audit()
    assert "--host" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("nvmap", "release", "expected"),
    [
        (None, (36, 4, 4), None),
        (NvMap(free_bytes=5 * GIB), (36, 4, 4), 5 * GIB),
        (NvMap(readable=False), (36, 4, 4), 900 * MIB),
        (NvMap(readable=False), (35, 4, 1), 900 * MIB * 15 // 16),
        (NvMap(readable=False), (38, 2, 0), None),
        (NvMap(readable=False), (), None),
    ],
)
def test_what_cuda_can_allocate(nvmap: NvMap | None, release: tuple[int, ...], expected: int | None) -> None:
    assert cuda_bytes(nvmap, {"MemAvailable": 1000 * MIB, "CmaFree": 100 * MIB}, release) == expected


@pytest.mark.parametrize("name", FACTS.keys())
def test_every_fact_says_what_it_provides_and_can_do_without_everything(name: str, tmp_path: Path) -> None:
    fact = FACTS.get(name)
    assert fact.provides
    assert fact.paths
    assert all(path.startswith("/") for path in fact.paths)

    class Nothing(LocalHost):
        def disk(self, path: str) -> Disk:
            raise ProbeError(f"{path}: no such file")

    fact.read(Nothing(tmp_path))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_this_machine() -> None:
    found = audit()
    assert found.door == "local"
    assert found.linux_bytes
    assert any(row.role == "memfit" for row in found.processes)
    assert sum(term.bytes for term in found.terms) + (found.unexplained_bytes or 0) == found.physical_bytes
