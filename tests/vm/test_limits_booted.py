"""Memory limits on a booted kernel with control groups of version 2 and systemd: held, counted, and killed for."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from machine import NAME, Machine

from fake_engines import MODEL
from memfit.measure.records import Observation
from memfit.units import MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[2]
PLACE = "/opt/memfit"
PYTHON = (3, 11)  # of Debian bookworm
USER = "robot"
HELD, LIMIT = 120, 200
RUN_S = 300.0
# what a bare interpreter, its page tables and the files that it reads are charged with beside what it holds
OWN_BYTES = 24 * MIB


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """msgspec for the machine's Python and processor: all that memfit's core imports beside the standard library."""
    folder = tmp_path_factory.mktemp("wheel")
    words = (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder),
        *("--platform", "manylinux2014_aarch64", "--python-version", "".join(map(str, PYTHON)), "msgspec"),
    )
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"no msgspec for the machine: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
    (found,) = folder.glob("msgspec-*.whl")
    return found


@pytest.fixture(scope="module")
def machine(image: Image, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With memfit on it, and an ordinary user who may come in."""
    folder = tmp_path_factory.mktemp("limits")
    made = Machine(folder / "machine", image)
    made.boot()
    _install(made, wheel, folder / "memfit.tar")
    made.ssh(
        f"useradd --create-home --shell /bin/bash {USER} && cp -r ~/.ssh ~{USER}/ && chown -R {USER}: ~{USER}/.ssh"
    )
    yield made
    made.stop()


def _install(machine: Machine, wheel: Path, archive: Path) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        entry.uid = entry.gid = 0
        return None if "__pycache__" in entry.name else entry

    with tarfile.open(archive, "w") as tar:
        for path in (ROOT / "src", ROOT / "tests" / "fake_engines.py", Path(__file__).with_name("engine_inside.py")):
            name = path.name if path.is_dir() else f"tests/{path.name}"
            tar.add(path, f"{PLACE.lstrip('/')}/{name}", filter=plain)
        tar.add(MODEL, f"{PLACE.lstrip('/')}/{MODEL.relative_to(ROOT)}", filter=plain)
    machine.copy(archive, "/tmp/memfit.tar")
    machine.copy(wheel, "/tmp/msgspec.whl")
    # into the memory of an emulated board a file is read more slowly than Python compiles it: both once
    machine.ssh(
        f"tar -xf /tmp/memfit.tar -C / && rm /tmp/memfit.tar && python3 -m zipfile -e /tmp/msgspec.whl {PLACE}/src "
        f"&& python3 -m compileall -q {PLACE}",
        timeout_s=600,
    )


def observed(machine: Machine, held: int, limit: int, *mechanism: str, user: str = "root") -> Observation:
    """A run of the stand-in there, as somebody."""
    words = f"cd /tmp && PYTHONPATH={PLACE}/src:{PLACE}/tests python3 {PLACE}/tests/engine_inside.py {limit} {held}"
    command = [*machine.client, "-l", user, NAME, " ".join((words, *mechanism))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = msgspec.json.decode(done.stdout, type=Observation)
    peak = seen.peak_limit_bytes or 0
    print(f"{user}, {seen.limit.mechanism} of {limit} MiB: {seen.outcome}, {seen.reason}")
    print(
        f"peak {peak / MIB:.1f} MiB, {seen.paging}, {seen.phases[-1]}, unevictable {seen.unevictable_bytes / MIB:.1f}"
    )
    return seen


def left_behind(machine: Machine) -> str:
    """Groups and units of memfit, and processes of the stand-in, that are still there."""
    units = "list-units --all --plain --no-legend 'memfit-*'"
    told = machine.ssh(
        f"find /sys/fs/cgroup -name 'memfit-*'; systemctl {units}; "
        "pgrep --full --list-full '[f]ake 1|[t]ail -f -s 60' || true"
    )
    theirs = [*machine.client, "-l", USER, NAME, f"systemctl --user {units}"]
    return told + subprocess.run(theirs, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def check_held(seen: Observation, mechanism: str) -> None:
    assert (seen.outcome, seen.reason) == ("completed", "")
    assert (seen.limit.mechanism, seen.limit.limit_bytes) == (mechanism, LIMIT * MIB)
    assert seen.limit.note == ""
    started, loaded, decode = seen.phases
    for before, after in ((started, loaded), (loaded, decode)):
        assert abs(after.anonymous_bytes - before.anonymous_bytes - HELD // 2 * MIB) <= MIB
    assert seen.peak_limit_bytes is not None
    assert 0 <= seen.peak_limit_bytes - HELD * MIB <= OWN_BYTES
    # what it was charged with is what its pages add up to
    assert abs(seen.peak_limit_bytes - decode.anonymous_bytes) <= OWN_BYTES / 2
    assert abs(seen.unevictable_bytes - decode.anonymous_bytes) <= 4 * MIB
    assert seen.paging.refaults_scope == "cgroup"
    assert seen.paging.oom_kills == 0
    limited = [sample.limited_bytes for sample in seen.samples if sample.limited_bytes is not None]
    assert limited
    assert max(limited) <= seen.peak_limit_bytes


def check_killed(seen: Observation, mechanism: str, limit: int) -> None:
    assert seen.outcome == "killed", seen.reason
    assert seen.reason.startswith("the kernel killed it for the limit after the phase 'loaded'")
    assert seen.limit.mechanism == mechanism
    assert [phase.name for phase in seen.phases] == ["started", "loaded"]
    assert seen.paging.oom_kills == 1
    # all of the limit was full of what it held
    assert seen.peak_limit_bytes is not None
    assert limit * MIB - MIB <= seen.peak_limit_bytes <= limit * MIB
    assert "charged with" in seen.reason


def test_root_gets_a_group_of_its_own(machine: Machine) -> None:
    check_held(observed(machine, HELD, LIMIT), "cgroup_v2")
    assert left_behind(machine) == ""


def test_a_user_gets_a_scope_of_systemd(machine: Machine) -> None:
    check_held(observed(machine, HELD, LIMIT, user=USER), "systemd_scope")
    assert left_behind(machine) == ""


def test_root_gets_a_scope_where_it_asks_for_one(machine: Machine) -> None:
    check_held(observed(machine, HELD, LIMIT, "systemd_scope"), "systemd_scope")
    assert left_behind(machine) == ""


@pytest.mark.parametrize(
    ("user", "mechanism"), [("root", "cgroup_v2"), (USER, "systemd_scope"), ("root", "systemd_scope")]
)
def test_more_than_the_limit_is_killed_and_recorded(machine: Machine, user: str, mechanism: str) -> None:
    check_killed(observed(machine, 160, 100, mechanism, user=user), mechanism, 100)
    assert left_behind(machine) == ""
