"""A folder read as a machine: nothing leads out of it, and every door finds the same in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import NeedsRoot, ProbeError, UsageError
from memfit.host import Host, LocalHost, Manifest, open_host
from memfit.host.record import record
from memfit.host.recorded import RecordedHost
from memfit.host.rootfs import RootfsHost

SECRET = b"of the machine outside"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(SECRET)
    root = tmp_path / "image"
    for folder in ("etc/alternatives", "usr/lib/systemd", "usr/local/cuda-12.6", "proc", "sys", "dev", "boot/extlinux"):
        (root / folder).mkdir(parents=True)
    (root / "etc/hostname").write_text("orin\n")
    (root / "usr/lib/os-release").write_text("NAME=Ubuntu\n")
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "etc/release").symlink_to("/usr/lib/os-release")
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/local/cuda-12.6/version.json").write_text("{}")
    (root / "etc/alternatives/cuda").symlink_to("/usr/local/cuda-12.6")
    (root / "usr/local/cuda").symlink_to("/etc/alternatives/cuda")
    (root / "proc/meminfo").write_text("MemTotal: 1 kB\n")
    (root / "etc/mtab").symlink_to("/proc/meminfo")
    return root


def test_an_image_is_read_by_its_own_links(image: Path) -> None:
    for host in (RootfsHost(image), LocalHost(image)):
        for path in ("/etc/os-release", "/etc/release", "/lib/os-release", "/lib/../lib/os-release"):
            assert host.read_bytes(path) == b"NAME=Ubuntu\n"
        assert host.read_bytes("/usr/local/cuda/version.json", most=1) == b"{"
        assert host.list_dir("/usr/local/cuda") == ("version.json",)
        assert host.read_link("/usr/local/cuda") == "/etc/alternatives/cuda"
        assert host.read_link("/lib") == "usr/lib"
        assert host.glob("/usr/local/cuda*") == ("/usr/local/cuda", "/usr/local/cuda-12.6")
        assert host.glob("/usr/local/cuda*/version.json") == (
            "/usr/local/cuda-12.6/version.json",
            "/usr/local/cuda/version.json",
        )
        with pytest.raises(ProbeError, match="/etc/nothing: No such file"):
            host.read_bytes("/etc/nothing")
        with pytest.raises(ProbeError, match="not a regular file"):
            host.read_bytes("/etc")
        with pytest.raises(ProbeError):
            host.read_link("/etc/hostname")
        with pytest.raises(ProbeError):
            host.list_dir("/etc/hostname")


def test_an_image_has_no_kernel(image: Path) -> None:
    host = RootfsHost(image)
    assert (host.name, host.door, host.live) == ("orin", "rootfs", False)
    assert host.list_dir("/") == ("boot", "etc", "lib", "usr")
    for path in ("/proc/meminfo", "/proc", "/etc/mtab", "/sys", "/lib/../proc/meminfo", "/dev/kmsg"):
        with pytest.raises(ProbeError, match="No such file"):
            host.read_bytes(path)
    assert host.glob("/proc/*") == ()
    assert host.glob("/p*") == ()
    with pytest.raises(ProbeError, match="does not tell how large"):
        host.disk("/")
    assert LocalHost(image).read_bytes("/proc/meminfo") == b"MemTotal: 1 kB\n"
    assert LocalHost(image).disk("/etc").total_bytes > 0
    (image / "etc/hostname").unlink()
    assert RootfsHost(image).name == "image"


@pytest.mark.parametrize(
    "target",
    [
        "../../outside",
        "../../../../../../../../outside",
        "/../outside",
        "{outside}",
        "up/../../outside",
        "up/up/up/outside",
    ],
)
def test_nothing_leads_out_of_an_image(image: Path, target: str) -> None:
    (image / "up").symlink_to("..")
    (image / "etc/up").symlink_to("..")
    (image / "etc/out").symlink_to(target.format(outside=image.parent / "outside"))
    (image / "etc/outer").symlink_to("out")
    (image / "folder").symlink_to("../../../..")
    for host in (RootfsHost(image), LocalHost(image)):
        for path in ("/etc/out", "/etc/outer", "/../outside", "/etc/../../outside", "/up/outside", "/folder/outside"):
            with pytest.raises(ProbeError):
                host.read_bytes(path)
        assert host.list_dir("/folder") == host.list_dir("/")
        assert host.list_dir("/..") == host.list_dir("/")
        assert "/etc/out" in host.glob("/etc/*")  # the link itself is there


def test_links_in_circles_and_pipes_end(image: Path) -> None:
    (image / "etc/a").symlink_to("b")
    (image / "etc/b").symlink_to("/etc/a")
    (image / "etc/self").symlink_to("self/self")
    os.mkfifo(image / "etc/pipe")
    (image / "etc/tty").symlink_to("/dev/tty")
    for host in (RootfsHost(image), LocalHost(image)):
        for path in ("/etc/a", "/etc/self", "/etc/pipe", "/etc/tty"):
            with pytest.raises(ProbeError):
                host.read_bytes(path)


def test_what_may_not_be_read_there_is_told(image: Path) -> None:
    (image / "etc/shadow").write_text("x")
    (image / "etc/shadow").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    with pytest.raises(NeedsRoot):
        RootfsHost(image).read_bytes("/etc/shadow")


def test_no_link_changed_meanwhile_leads_out(image: Path) -> None:
    """A folder that becomes a link, again and again, while it is read through."""
    inner = image / "inner"
    inner.mkdir()
    (inner / "outside").write_bytes(b"inside")
    (image.parent / "other").symlink_to(image.parent)
    spare = image.parent / "spare"
    began = time.monotonic()
    stopped = threading.Event()

    def swap() -> None:
        while not stopped.is_set():
            inner.rename(spare)
            inner.symlink_to(image.parent)
            inner.unlink()
            spare.rename(inner)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set[bytes]()
    try:
        host = RootfsHost(image)
        # a second of reading, and as long as it takes on a busy machine until the folder was met as itself
        while (passed := time.monotonic() - began) < 1 or (b"inside" not in seen and passed < 30):
            try:
                seen.add(host.read_bytes("/inner/outside"))
            except ProbeError:
                seen.add(b"")
    finally:
        stopped.set()
        thread.join()
    assert SECRET not in seen
    assert b"inside" in seen


def test_no_descriptor_stays_open(image: Path) -> None:
    host = RootfsHost(image)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for path in ("/etc/release", "/usr/local/cuda/version.json", "/etc/nothing", "/lib", "/etc/mtab"):
        for ask in (host.read_bytes, host.list_dir, host.read_link, host.glob):
            with contextlib.suppress(ProbeError):
                ask(path)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="no such folder"):
        open_host(root=str(tmp_path / "nothing"), paths=())
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_host(root=str(tmp_path / "file"), paths=())


def test_an_image_can_be_recorded(image: Path, tmp_path: Path) -> None:
    manifest = Manifest(paths=("/etc/*", "/usr/local/cuda", "/usr/local/cuda/version.json", "/proc/meminfo"))
    record(RootfsHost(image), manifest, tmp_path / "r.tar.gz")
    host = RecordedHost(tmp_path / "r.tar.gz")
    assert (host.name, host.live) == ("orin", False)
    assert host.read_bytes("/etc/release") == b"NAME=Ubuntu\n"
    assert host.read_link("/usr/local/cuda") == "/etc/alternatives/cuda"
    assert host.read_bytes("/usr/local/cuda/version.json") == b"{}"
    with pytest.raises(ProbeError, match="No such file"):
        host.read_bytes("/proc/meminfo")


# --- the same questions to every door

NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.b", "[a]", "A", "é", " a"])
TREES = st.lists(
    st.tuples(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(["file", "folder", "link"])), max_size=8
)
PARTS = st.sampled_from(["*", "a*", "?", "[ab]", "[!a]*", "a", ".*", "*.b", "[[]a]", "b"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=3)


def grow(root: Path, tree: list[tuple[list[str], str]]) -> None:
    for parts, kind in tree:
        path = root.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "file":
                path.write_text("/".join(parts))
            elif kind == "folder":
                path.mkdir()
            else:
                path.symlink_to(parts[0])
        except OSError:  # something of another kind is there already
            pass


def answers(host: Host, prefix: str, pattern: str) -> list[object]:
    found = host.glob(prefix + pattern)
    told: list[object] = [tuple(path[len(prefix) :] for path in found)]
    for path in found:
        for ask in (host.read_bytes, host.list_dir, host.read_link):
            try:
                told.append(ask(path))
            except ProbeError as error:
                told.append(type(error))
    return told


@settings(max_examples=60, deadline=None)
@given(tree=TREES, parts=PATTERNS)
def test_every_door_finds_the_same(tree: list[tuple[list[str], str]], parts: list[str]) -> None:
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="memfit-doors-"))
    try:
        root = folder / "root"
        root.mkdir()
        grow(root, tree)
        pattern = "/" + "/".join(parts)
        known = answers(LocalHost(), str(root), pattern)
        assert answers(LocalHost(root), "", pattern) == known
        assert answers(RootfsHost(root), "", pattern) == known
        asked = Manifest(paths=(pattern,))
        assert answers(record(RootfsHost(root), asked, folder / "image.tar.gz"), "", pattern) == known
        assert answers(RecordedHost(folder / "image.tar.gz"), "", pattern) == known
        asked = Manifest(paths=(str(root) + pattern,))
        assert answers(record(LocalHost(), asked, folder / "here.tar.gz"), str(root), pattern) == known
        assert answers(RecordedHost(folder / "here.tar.gz"), str(root), pattern) == known
    finally:
        shutil.rmtree(folder)


def test_the_doors_cost_nothing_to_import() -> None:
    script = (
        "import sys, memfit.host; print([name for name in ('tarfile', 'gzip', 'subprocess') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
