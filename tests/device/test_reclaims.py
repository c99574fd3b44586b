from __future__ import annotations

from pathlib import Path

from audited_trees import tree_facts

from memfit.device.audit_records import NvMapClient, ProcessRow, Reclaim, Swap
from memfit.device.carveouts import boot_configuration
from memfit.device.kernel_memory import BounceBuffers, CmaArea, CrashKernel, Moment, Zones
from memfit.device.ledger import LedgerFacts, build_ledger
from memfit.device.nvmap import NvMap
from memfit.device.reclaims import find_reclaims
from memfit.units import MIB


def reclaims(facts: LedgerFacts) -> dict[str, Reclaim]:
    return {reclaim.name: reclaim for reclaim in find_reclaims(facts, build_ledger(facts).terms)}


def facts(**fields: object) -> LedgerFacts:
    memory = {"MemTotal": 7620 * MIB, "MemFree": 7000 * MIB, "CmaTotal": 256 * MIB, "CmaFree": 200 * MIB}
    zones = Zones(present_bytes=7900 * MIB, managed_bytes=7620 * MIB, page_lists_bytes=0)
    orin = {"physical_bytes": None, "moment": Moment(meminfo=memory, zones=zones), "tegra": True, "nvgpu": True}
    return LedgerFacts(**{**orin, **fields})  # type: ignore[arg-type]


def row(pid: int, name: str, unit: str, role: str = "", pss: int = 10 * MIB) -> ProcessRow:
    return ProcessRow(
        pid=pid, name=name, unit=unit, role=role, pss_bytes=pss, anonymous_bytes=pss // 2, rss_bytes=2 * pss
    )


def test_a_desktop_counts_once_whatever_its_unit_is_called() -> None:
    rows = (
        row(1, "gdm3", "gdm.service", "desktop"),
        row(2, "gnome-shell", "session-2.scope", "desktop", 100 * MIB),
        row(3, "bash", "session-9.scope"),
    )
    nvmap = NvMap(clients=(NvMapClient(user="user", name="gnome-shell", pid=2, bytes=30 * MIB),))
    desktop = reclaims(facts(processes=rows, nvmap=nvmap))["desktop"]
    assert desktop.low_bytes == 55 * MIB
    assert desktop.high_bytes == 140 * MIB
    assert desktop.when == "live"


def test_services_by_their_own_memory() -> None:
    rows = (row(1, "snapd", "snapd.service"), row(2, "cupsd", "snap.cups.cupsd.service"), row(3, "sshd", "ssh.service"))
    found = reclaims(facts(processes=rows))
    assert found["snapd"].high_bytes == 10 * MIB
    assert found["cups"].high_bytes == 10 * MIB
    assert not {"ssh", "bluetooth", "avahi"} & found.keys()


def test_memfit_itself_is_not_taken_back() -> None:
    rows = (row(1, "python3 memfit", "session-2.scope", "memfit"),)
    assert not {"desktop", "idle_python", "audio"} & reclaims(facts(processes=rows)).keys()


def test_what_nobody_could_read_is_bounded_by_what_is_resident() -> None:
    unread = ProcessRow(pid=1, name="gdm3", unit="gdm.service", role="desktop", pss_bytes=None, rss_bytes=40 * MIB)
    desktop = reclaims(facts(processes=(unread,)))["desktop"]
    assert (desktop.low_bytes, desktop.high_bytes) == (0, 40 * MIB)


def test_swiotlb_keeps_what_was_ever_needed() -> None:
    unused = BounceBuffers(size_bytes=64 * MIB, used_bytes=0, most_used_bytes=0)
    assert reclaims(facts(bounce=unused))["swiotlb"].high_bytes == 60 * MIB
    used = BounceBuffers(size_bytes=64 * MIB, used_bytes=MIB, most_used_bytes=10 * MIB)
    assert reclaims(facts(bounce=used))["swiotlb"].high_bytes == 44 * MIB
    small = BounceBuffers(size_bytes=4 * MIB, used_bytes=0, most_used_bytes=0)
    assert "swiotlb" not in reclaims(facts(bounce=small))


def test_swiotlb_is_offered_where_an_iommu_maps_for_everyone() -> None:
    unused = BounceBuffers(size_bytes=64 * MIB, used_bytes=0, most_used_bytes=0)
    assert "swiotlb" not in reclaims(facts(bounce=unused, tegra=False))


def test_a_crash_kernel_can_be_given_back_until_it_is_loaded() -> None:
    idle, loaded = (CrashKernel(size_bytes=750 * MIB, loaded=loaded) for loaded in (False, True))
    assert reclaims(facts(crash=idle))["crashkernel"].when == "live"
    assert reclaims(facts(crash=loaded))["crashkernel"].when == "reboot"


def test_cma_never_below_what_the_gpu_asks_for_and_what_drivers_hold() -> None:
    cma = reclaims(facts())["cma"]
    assert (cma.low_bytes, cma.when) == (0, "reboot")
    assert cma.high_bytes == 200 * MIB  # all that is free: above MemTotal/256 in any case
    held = (CmaArea(name="linux,cma", size_bytes=256 * MIB, used_bytes=180 * MIB),)
    assert reclaims(facts(cma=held))["cma"].high_bytes == 76 * MIB
    assert "cma" not in reclaims(facts(nvgpu=False))
    assert "safe" not in f"{cma.cost} {cma.evidence}"


def test_carveouts_are_proven_on_one_module_alone() -> None:
    nano = reclaims(facts(configuration=boot_configuration(("nvidia,p3767-0005",), "36.4.4")))
    assert nano["carveouts_display"].low_bytes == 68 * MIB
    assert nano["carveouts_camera"].low_bytes == 33 * MIB
    assert nano["carveouts_display"].when == "reflash"
    older = reclaims(facts(configuration=boot_configuration(("nvidia,p3767-0005",), "35.3.1")))
    assert older["carveouts_display"].high_bytes + older["carveouts_camera"].high_bytes == 66 * MIB
    agx = reclaims(facts(configuration=boot_configuration(("nvidia,p3701-0005",), "36.4.4")))
    assert (agx["carveouts_video"].low_bytes, agx["carveouts_video"].high_bytes) == (0, 872 * MIB)
    assert "experimental" in agx["carveouts_video"].cost
    assert "`memfit bsp patch`" in nano["carveouts_display"].cost
    assert "`memfit bsp patch --experimental`" in agx["carveouts_video"].cost
    thor = reclaims(facts(nvgpu=False, configuration=boot_configuration(("nvidia,p3834-0008",), "38.2.0")))
    assert "by hand" in thor["carveouts_display"].cost
    assert "memfit bsp" not in thor["carveouts_display"].cost
    assert not any("safety" in name for name in agx)


def test_zram_gives_back_only_what_it_wastes() -> None:
    def zram(original: int, cost: int) -> Swap:
        sizes = {"original_bytes": original, "compressed_bytes": cost, "cost_bytes": cost}
        return Swap(name="/dev/zram0", kind="zram", size_bytes=600 * MIB, used_bytes=original, **sizes)

    assert "zram" not in reclaims(facts(swaps=(zram(300 * MIB, 100 * MIB),)))
    assert reclaims(facts(swaps=(zram(0, 3 * MIB),)))["zram"].high_bytes == 3 * MIB


def test_a_desktop_and_a_headless_tree(tmp_path: Path) -> None:
    desktop, _ = tree_facts("orin-nano-8gb-desktop", tmp_path / "desktop")
    headless, _ = tree_facts("orin-nano-8gb-headless", tmp_path / "headless")
    with_it, without = reclaims(desktop), reclaims(headless)
    assert {"desktop", "snapd", "audio", "swiotlb", "nvmap_pool", "page_cache", "carveouts_display"} <= with_it.keys()
    assert not {"desktop", "snapd", "audio"} & without.keys()
    assert all(reclaim.low_bytes <= reclaim.high_bytes for reclaim in (*with_it.values(), *without.values()))
    by_size = sorted(with_it, key=lambda name: -with_it[name].high_bytes)
    assert list(with_it) == [*(name for name in by_size if name != "page_cache"), "page_cache"]
