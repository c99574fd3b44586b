from __future__ import annotations

import pytest

from memfit.device.audit_records import (
    Audit,
    Boot,
    CheckVerdict,
    Clock,
    DramTerm,
    Power,
    PowerMode,
    ProcessRow,
    Reclaim,
    Stack,
    Storage,
    Swap,
    Zone,
)
from memfit.device.boards import BOARDS
from memfit.device.boot_log import BootLog
from memfit.device.checks import CHECKS, Findings
from memfit.device.checks._item import Answer
from memfit.device.compatibility import engines_on
from memfit.device.thermal import Fan
from memfit.units import GIB, MIB

NANO = ("nvidia,p3768-0000+p3767-0005-super", "nvidia,p3767-0005", "nvidia,tegra234")


def findings(
    l4t: str | None = "36.4.4",
    *,
    jetson: bool = True,
    fans: tuple[Fan, ...] | None = (),
    boot_log: BootLog | None = None,
    cma: int = 256 * MIB,
    **fields: object,
) -> Findings:
    given: dict[str, object] = {
        "host": "jetson",
        "door": "local",
        "taken": "2026-11-25T01:00:00Z",
        "board": "Orin Nano 8GB",
        "l4t": l4t,
        "jetpack": "6.2.1",
        "compatible": NANO,
        "stack": Stack(),
        "boot": Boot(),
        "physical_bytes": 8 * GIB,
        "linux_bytes": 7620 * MIB,
        "available_bytes": 6000 * MIB,
        "unexplained_bytes": 0,
        "terms": (),
        **fields,
    }
    return Findings(
        audit=Audit(**given),  # type: ignore[arg-type]
        jetson=jetson,
        release=tuple(int(part) for part in (l4t or "").split(".") if part),
        meminfo={"MemTotal": 7620 * MIB, "CmaTotal": cma, "CmaFree": cma // 2},
        boot_log=boot_log,
        fans=fans,
    )


def judge(name: str, found: Findings) -> Answer:
    return CHECKS.get(name).judge(found)


def verdict(name: str, found: Findings) -> CheckVerdict:
    return judge(name, found).verdict


@pytest.mark.parametrize(
    ("l4t", "expected"),
    [("35.1.0", "failed"), ("32.7.6", "failed"), ("35.2.1", "passed"), ("36.4.4", "passed"), (None, "unknown")],
)
def test_jetpack(l4t: str | None, expected: CheckVerdict) -> None:
    assert verdict("jetpack", findings(l4t)) == expected


@pytest.mark.parametrize("capability", ["8.7", "11.0"])
@pytest.mark.parametrize(
    "l4t", ["35.2.1", "35.4.1", "36.2.0", "36.3.0", "36.4.7", "36.5.0", "38.2.0", "38.4.0", "39.2.0"]
)
def test_jetpack_promises_what_the_matrix_of_engines_does(l4t: str, capability: str) -> None:
    engines = engines_on(l4t, capability)
    said = judge("jetpack", findings(l4t, engines=engines)).evidence.split("; ")
    runs = next((part for part in said if part.startswith("runs ")), "")
    unsure = next((part for part in said if part.endswith("no source tells")), "")
    for found in engines:
        if found.engine in ("llama.cpp", "Ollama", "TensorRT-LLM"):
            words = {True: runs, None: unsure}.get(found.runs, " ".join(part for part in said if "not " in part))
            assert found.engine in words.replace("and", "").replace(",", "").split()


def test_jetpack_5_is_told_what_it_lacks() -> None:
    evidence = judge("jetpack", findings("35.4.1", engines=engines_on("35.4.1", "8.7"))).evidence
    assert "not TensorRT-LLM (needs CUDA 12 and JetPack 6)" in evidence


@pytest.mark.parametrize(
    ("l4t", "expected"),
    [("36.4.7", "failed"), ("36.5.0", "passed"), ("36.4.4", "passed"), ("38.2.0", "not applicable"), (None, "unknown")],
)
def test_the_release_whose_large_allocations_fail(l4t: str | None, expected: CheckVerdict) -> None:
    assert verdict("allocation_bug", findings(l4t)) == expected


def place(free_bytes: int, kind: str = "nvme", mount: str = "/") -> Storage:
    return Storage(mount=mount, device="/dev/x", kind=kind, total_bytes=100 * 10**9, free_bytes=free_bytes)


def test_storage_wants_20_gb_somewhere() -> None:
    assert verdict("storage_space", findings(storage=(place(20 * 10**9),))) == "passed"
    assert verdict("storage_space", findings(storage=(place(20 * 10**9 - 1),))) == "failed"
    roomy = (place(10**9, "sd"), place(80 * 10**9, mount="/data"))
    assert "/data" in judge("storage_space", findings(storage=roomy)).evidence
    assert verdict("storage_space", findings()) == "unknown"


def test_storage_kind() -> None:
    assert verdict("storage_kind", findings(storage=(place(1),))) == "passed"
    slow = judge("storage_kind", findings(storage=(place(1, "sd"),)))
    assert slow.verdict == "failed"
    assert "NVMe" in (slow.mend or "")
    assert verdict("storage_kind", findings(storage=(place(1, "unknown"),))) == "unknown"


@pytest.mark.parametrize(
    ("available", "five", "four"),
    [(5 * 10**9, "passed", "passed"), (5 * 10**9 - 1, "failed", "passed"), (4 * 10**9 - 1, "failed", "failed")],
)
def test_available_memory_by_both_thresholds(available: int, five: CheckVerdict, four: CheckVerdict) -> None:
    found = findings(available_bytes=available)
    assert (verdict("memory_5gb", found), verdict("memory_4gb", found)) == (five, four)


def test_a_small_board_is_not_asked_for_what_it_cannot_have() -> None:
    assert verdict("memory_5gb", findings(linux_bytes=3600 * MIB, available_bytes=3000 * MIB)) == "not applicable"


def test_what_mends_short_memory_depends_on_what_runs() -> None:
    short = 3 * 10**9
    shell = ProcessRow(pid=1, name="gnome-shell", unit=None, role="desktop", pss_bytes=1)
    mend = judge("memory_5gb", findings(available_bytes=short, processes=(shell,))).mend
    assert mend is not None
    assert "multi-user.target" in mend
    snapd = Reclaim(name="snapd", low_bytes=1, high_bytes=2, when="live", cost="", evidence="")
    mend = judge("memory_4gb", findings(available_bytes=short, reclaims=(snapd,))).mend
    assert mend == "sudo systemctl disable --now snapd.service snapd.socket"


@pytest.mark.parametrize("name", ["memory_5gb", "memory_4gb"])
def test_short_memory_always_has_something_to_do(name: str) -> None:
    def mend(*running: ProcessRow, terms: tuple[DramTerm, ...] = ()) -> str:
        return judge(name, findings(available_bytes=3 * 10**9, processes=running, terms=terms)).mend or ""

    model = ProcessRow(pid=7, name="llama-server", unit=None, role="inference", pss_bytes=4 * GIB)
    idle = ProcessRow(pid=8, name="python3 ipykernel_launcher", unit=None, role="idle python", pss_bytes=MIB)
    shell = ProcessRow(pid=9, name="gnome-shell", unit=None, role="desktop", pss_bytes=1)
    pool = DramTerm(name="nvmap_pool", layer="drivers", bytes=500 * MIB, source="measured")
    assert "multi-user.target" in mend(model, idle, shell, terms=(pool,))
    assert "drop_caches" in mend(model, idle, terms=(pool,))
    assert mend(model, idle).startswith("kill 8 ")
    assert mend(model).endswith("llama-server (7) has 4096.0 MiB")
    assert mend() == "sudo memfit audit --processes  # whom to stop"


MODES = tuple(PowerMode(id=id, name=name) for id, name in enumerate(("15W", "25W", "MAXN_SUPER", "7W")))


def test_the_fastest_mode_is_chosen_by_name_and_not_by_its_number() -> None:
    answer = judge("power_mode", findings(power=Power(mode=MODES[0], modes=MODES)))
    assert answer.verdict == "failed"
    assert answer.mend is not None
    assert answer.mend.startswith("sudo nvpmodel -m 2 ")
    assert verdict("power_mode", findings(power=Power(mode=MODES[2], modes=MODES))) == "passed"
    assert verdict("power_mode", findings()) == "unknown"


def test_modes_without_a_maxn_go_by_watts() -> None:
    modes = tuple(PowerMode(id=id, name=name) for id, name in ((0, "MODE_15W"), (1, "MODE_50W"), (2, "MODE_30W")))
    assert verdict("power_mode", findings(power=Power(mode=modes[1], modes=modes))) == "passed"
    assert "nvpmodel -m 1" in (judge("power_mode", findings(power=Power(mode=modes[2], modes=modes))).mend or "")


def test_of_modes_of_the_same_power_the_one_with_most_cores_is_named() -> None:
    modes = BOARDS.get("xavier_nx_8gb").power[0].modes.value
    answer = judge("power_mode", findings(power=Power(mode=modes[5], modes=modes)))
    assert answer.verdict == "failed"
    assert "nvpmodel -m 8  # MODE_20W_6CORE" in (answer.mend or "")
    assert verdict("power_mode", findings(power=Power(mode=modes[8], modes=modes))) == "passed"
    modes = BOARDS.get("agx_xavier_32gb").power[0].modes.value
    answer = judge("power_mode", findings(power=Power(mode=modes[7], modes=modes)))
    assert "nvpmodel -m 0  # MAXN" in (answer.mend or "")


def test_clocks_are_held_only_where_they_cannot_fall() -> None:
    held = Clock(name="cpu0", now_hz=1_728_000_000, low_hz=1_728_000_000, high_hz=1_728_000_000)
    loose = Clock(name="gpu", now_hz=1_020_000_000, low_hz=306_000_000, high_hz=1_020_000_000)
    assert verdict("clocks", findings(clocks=(held,))) == "passed"
    assert verdict("clocks", findings(clocks=(held, loose))) == "failed"
    assert verdict("clocks", findings()) == "unknown"


def test_fans() -> None:
    assert verdict("fan", findings(fans=(Fan(name="pwmfan", duty=0),))) == "passed"
    assert (
        "driven at 50 %" in judge("fan", findings(fans=(Fan(name="pwmfan", duty=128), Fan(name="t", rpm=900)))).evidence
    )
    assert verdict("fan", findings(fans=())) == "unknown"
    assert verdict("fan", findings(fans=None)) == "unknown"


def test_ambient_is_bounded_from_above_and_never_made_up() -> None:
    assert verdict("ambient", findings(zones=(Zone(name="tj", now_c=60.0), Zone(name="soc", now_c=33.0)))) == "passed"
    assert verdict("ambient", findings(zones=(Zone(name="tj", now_c=46.0),))) == "unknown"


def test_room_below_the_trip_point() -> None:
    assert verdict("temperature", findings(zones=(Zone(name="tj", now_c=60.0, trip_c=95.0),))) == "passed"
    assert verdict("temperature", findings(zones=(Zone(name="tj", now_c=91.0, trip_c=95.0),))) == "failed"
    assert (
        "over its trip point"
        in judge("temperature", findings(zones=(Zone(name="tj", now_c=97.0, trip_c=95.0),))).evidence
    )


def test_swap() -> None:
    zram = Swap(name="/dev/zram0", kind="zram", size_bytes=635 * MIB, used_bytes=0)
    assert verdict("swap", findings(swaps=(zram,))) == "passed"
    assert "nvzramconfig" in (judge("swap", findings()).mend or "")
    assert "mkswap" in (judge("swap", findings(jetson=False)).mend or "")
    assert "mkswap" in (judge("swap", findings("38.4.0")).mend or "")  # no log of a Thor has zram


def test_firmware_that_hides_a_gib() -> None:
    assert verdict("qspi_firmware", findings()) == "passed"
    assert verdict("qspi_firmware", findings(linux_bytes=6450 * MIB)) == "failed"
    assert verdict("qspi_firmware", findings(compatible=("nvidia,p3767-0000",))) == "not applicable"


def test_contiguous_memory() -> None:
    assert verdict("contiguous_memory", findings()) == "passed"
    assert verdict("contiguous_memory", findings(cma=16 * MIB)) == "failed"
    assert verdict("contiguous_memory", findings("38.4.0", cma=16 * MIB)) == "passed"  # Thor has no nvgpu
    lost = judge("contiguous_memory", findings(cma=0, boot=Boot(command_line="root=/dev/x cma=1200M quiet")))
    assert lost.verdict == "failed"
    assert "cma=1200M" in (lost.mend or "")
    refused = BootLog(cma_failure_bytes=257_490_944)
    assert verdict("contiguous_memory", findings(boot_log=refused)) == "failed"


def test_a_desktop_is_told_with_what_it_costs() -> None:
    cron = ProcessRow(pid=1, name="cron", unit=None, pss_bytes=1)
    reclaim = Reclaim(name="desktop", low_bytes=MIB, high_bytes=9 * MIB, when="live", cost="", evidence="2 processes")
    assert verdict("desktop", findings(processes=(cron,))) == "passed"
    assert "9.0 MiB" in judge("desktop", findings(processes=(cron,), reclaims=(reclaim,))).evidence
    assert verdict("desktop", findings()) == "unknown"


def test_a_crash_kernel() -> None:
    kept = DramTerm(name="crashkernel", layer="boot", bytes=750 * MIB, source="measured")
    assert verdict("crash_kernel", findings()) == "passed"
    assert verdict("crash_kernel", findings(terms=(kept,))) == "failed"


@pytest.mark.parametrize("name", CHECKS.keys())
def test_every_item_asks_a_question_and_answers_even_where_nothing_is_known(name: str) -> None:
    item = CHECKS.get(name)
    assert item.asks.endswith("?")
    assert item.source
    bare = findings(None, linux_bytes=None, available_bytes=None, fans=None, compatible=(), cma=0)
    for found in (bare, findings(jetson=False)):
        answer = item.judge(found)
        assert answer.evidence
        assert (answer.verdict == "failed") == bool(answer.mend)


def test_other_machines_are_asked_little() -> None:
    other = findings(jetson=False)
    asked = {name for name, item in CHECKS.items() if item.judge(other).verdict != "not applicable"}
    assert asked == {"storage_space", "memory_5gb", "memory_4gb", "swap", "temperature", "crash_kernel"}
