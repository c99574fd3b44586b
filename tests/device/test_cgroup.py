"""Control groups of both versions, on files made up here; figures are bytes as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.cgroup import (
    Cgroup,
    cgroup_at,
    find_cgroup,
    parse_memory_groups,
    parse_number,
    parse_stat,
    parse_table,
    read_cgroup,
)
from memfit.errors import ProbeError
from memfit.host import LocalHost

NO_LIMIT = "9223372036854771712\n"
V1 = {
    "memory.usage_in_bytes": "1000000\n",
    "memory.max_usage_in_bytes": "1500000\n",
    "memory.limit_in_bytes": "2000000\n",
    "memory.memsw.usage_in_bytes": "1300000\n",
    "memory.kmem.usage_in_bytes": "50000\n",
    "memory.failcnt": "83362\n",
    "memory.memsw.failcnt": "2\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "memory.stat": "cache 1\nrss 1\nshmem 0\ntotal_cache 400000\ntotal_rss 600000\ntotal_shmem 10000\n"
    "total_pgmajfault 77\ntotal_workingset_refault_file 5\ntotal_workingset_refault_anon 6\n",
}
V2 = {
    "memory.current": "1000000\n",
    "memory.peak": "1500000\n",
    "memory.max": "max\n",
    "memory.swap.current": "300000\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n",
    "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 total=1000000\n",
    "memory.stat": "anon 600000\nfile 400000\nkernel 90000\nkernel_stack 1000\npagetables 2000\nshmem 10000\n"
    "slab_reclaimable 80000\nslab_unreclaimable 3000\npgmajfault 77\nworkingset_refault_anon 6\n"
    "workingset_refault_file 5\n",
}


def group(root: Path, folder: str, files: dict[str, str]) -> LocalHost:
    place = root / folder.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / name).write_text(text)
    return LocalHost(root)


def own(root: Path, groups: str, mounts: str) -> None:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text(mounts)


def test_version_1_counts_those_below_it_too(tmp_path: Path) -> None:
    host = group(tmp_path, "/g", V1)
    found = cgroup_at("/g/", host)
    assert found == Cgroup(version=1, folder="/g")
    memory = read_cgroup(found, host)
    assert (memory.usage_bytes, memory.peak_bytes, memory.limit_bytes) == (1_000_000, 1_500_000, 2_000_000)
    assert memory.swap_bytes == 300_000
    assert (memory.anonymous_bytes, memory.file_bytes, memory.shared_bytes) == (600_000, 390_000, 10_000)
    assert memory.unevictable_bytes == 600_000 + 10_000 + 50_000
    assert (memory.major_faults, memory.refaults) == (77, 11)
    assert (memory.limit_failures, memory.oom_kills) == (83_364, 3)
    assert memory.pressure is None


def test_version_2(tmp_path: Path) -> None:
    host = group(tmp_path, "/g", V2)
    memory = read_cgroup(cgroup_at("/g", host), host)
    assert (memory.usage_bytes, memory.peak_bytes, memory.limit_bytes) == (1_000_000, 1_500_000, None)
    assert memory.unevictable_bytes == 600_000 + 10_000 + 6_000  # slab that can be reclaimed is not counted
    assert (memory.limit_failures, memory.oom_kills, memory.swap_bytes) == (12, 1, 300_000)
    assert memory.pressure is not None
    assert memory.pressure.some_s == 2.5


@pytest.mark.parametrize(
    ("events", "kills"),
    [
        ("oom_kill 2\noom_group_kill 1\n", 1),
        ("oom_kill 1\noom_group_kill 1\n", 1),
        ("oom_kill 0\noom_group_kill 0\n", 0),
        ("oom_kill 3\n", 3),
        ("max 1\n", None),
    ],
)
def test_of_a_group_that_is_killed_as_one_the_first_counts_once(tmp_path: Path, events: str, kills: int | None) -> None:
    host = group(tmp_path, "/g", {**V2, "memory.events": events})
    assert read_cgroup(cgroup_at("/g", host), host).oom_kills == kills


def test_what_a_kernel_does_not_count_is_unknown_and_not_zero(tmp_path: Path) -> None:
    host = group(tmp_path, "/g", {"memory.current": "5\n"})
    memory = read_cgroup(cgroup_at("/g", host), host)
    assert memory.usage_bytes == 5
    assert memory.peak_bytes is memory.oom_kills is memory.unevictable_bytes is memory.refaults is None


def test_a_group_that_is_gone_says_nothing(tmp_path: Path) -> None:
    memory = read_cgroup(Cgroup(version=1, folder="/gone"), LocalHost(tmp_path))
    assert memory.usage_bytes is None
    with pytest.raises(ProbeError, match="/gone: not a control group") as refused:
        cgroup_at("/gone", LocalHost(tmp_path))
    assert "memory.current" in str(refused.value.hint)


def test_no_limit_in_either_version() -> None:
    assert parse_number(NO_LIMIT) is None
    assert parse_number("max\n") is None
    assert parse_number("734003200\n") == 734_003_200
    assert parse_number("") is None
    assert parse_number("²") is None


def test_refaults_before_files_and_memory_were_told_apart() -> None:
    assert parse_stat("anon 1\nworkingset_refault 9\n", 2).refaults_file == 9
    assert parse_stat("rss 1\n", 1).refaults_file is None


def test_the_group_of_this_process_with_both_versions_mounted(tmp_path: Path) -> None:
    own(
        tmp_path,
        "4:memory:/run/7\n1:cpu:/\n0::/elsewhere\n",
        "35 31 0:32 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n41 31 0:38 / /cg/u rw - cgroup2 cgroup2 rw\n",
    )
    host = group(tmp_path, "/cg/memory/run/7", V1)
    group(tmp_path, "/cg/u/elsewhere", {"cgroup.procs": ""})
    assert find_cgroup(None, host) == Cgroup(version=1, folder="/cg/memory/run/7")


def test_the_group_of_a_container_that_sees_only_its_own_part(tmp_path: Path) -> None:
    own(tmp_path, "0::/docker/abc/inner\n", "41 31 0:38 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    host = group(tmp_path, "/sys/fs/cgroup/inner", V2)
    assert find_cgroup(None, host) == Cgroup(version=2, folder="/sys/fs/cgroup/inner")


def test_no_group_where_none_is_shown(tmp_path: Path) -> None:
    assert find_cgroup(None, LocalHost(tmp_path)) is None
    own(tmp_path, "0::/../outside\n", "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    assert find_cgroup(None, LocalHost(tmp_path)) is None


def test_the_root_of_a_version_2_hierarchy_has_no_charge(tmp_path: Path) -> None:
    own(tmp_path, "0::/\n", "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    host = group(tmp_path, "/sys/fs/cgroup", {"memory.stat": V2["memory.stat"]})
    assert find_cgroup(None, host) is None


@given(st.text(max_size=300))
def test_wild_text_is_no_reason_to_fail(text: str) -> None:
    parse_table(text)
    parse_number(text)
    parse_memory_groups(text)
    parse_stat(text, 1)
    parse_stat(text, 2)


def test_this_machine() -> None:
    found = find_cgroup()
    if found is None:
        pytest.skip("no control group of the memory controller is shown here")
    assert (read_cgroup(found).usage_bytes or 0) > 0
