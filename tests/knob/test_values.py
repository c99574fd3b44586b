"""Values of the kernel: which are offered, what they give, and how they last."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from memfit.host import Disk
from memfit.knob import Offer, offers
from memfit.knob._sysctl import SYSCTL, TMPFILES, min_free_at_boot, set_by_somebody, sysctl_changes
from memfit.knob.changes import FileChange, RunChange, ValueChange
from memfit.knob.combine import changes_of
from memfit.knob.knobs.min_free import MinFree, withheld_bytes
from memfit.units import KIB, MIB
from whole_machine import machine, whole_machine

VM, THP = "/proc/sys/vm", "/sys/kernel/mm/transparent_hugepage/enabled"


def offer_of(knob: str, files: dict[str, str], **more: object) -> Offer:
    (offer,) = offers(*machine(files, **more), names=[knob])  # type: ignore[arg-type]
    return offer


def test_several_knobs_share_one_file_and_each_value_is_written_now() -> None:
    host, known = whole_machine()
    chosen = offers(host, known, names=["swappiness", "min_free", "huge_pages"])
    files = {change.path: change for change in changes_of(host, known, chosen) if isinstance(change, FileChange)}
    assert files.keys() == {SYSCTL, TMPFILES}
    assert files[SYSCTL].content.decode().splitlines()[1:] == ["vm.swappiness = 100"]
    # after a boot too, for which sysctl is read before tmpfiles
    assert files[TMPFILES].content.decode().splitlines()[1:] == [
        f"w {THP} - - - - madvise",
        f"w {VM}/min_free_kbytes - - - - 11173",
    ]
    values = [change.path for change in changes_of(host, known, chosen) if isinstance(change, ValueChange)]
    assert values == [THP, f"{VM}/min_free_kbytes", f"{VM}/swappiness"]  # the first makes the kernel raise the second


def test_lines_that_are_there_stay_and_an_edit_in_between_is_noticed() -> None:
    before = "# memfit wrote this file; memfit undo takes it back\nvm.min_free_kbytes = 9000\nvm.swappiness = 60\n"
    host, _ = machine({SYSCTL: before})
    file = sysctl_changes(host, {f"{VM}/swappiness": "100"})[0]
    assert isinstance(file, FileChange)
    assert file.content == before.replace("60", "100", 2).replace("100-memfit", "60-memfit").encode()
    assert file.expects == hashlib.sha256(before.encode()).hexdigest()
    again = sysctl_changes(host, {f"{VM}/swappiness": "60"})[0]
    assert isinstance(again, FileChange)
    assert again.content == before.encode()
    assert sysctl_changes(host, {}) == ()


def test_min_free_goes_behind_huge_pages_whichever_was_asked_for_first() -> None:
    """What takes the one back has to take the other back first: they share a file from then on."""
    head = "# memfit wrote this file; memfit undo takes it back\n"
    huge, least = f"w {THP} - - - - madvise\n", f"w {VM}/min_free_kbytes - - - - 9000\n"
    host, _ = machine({SYSCTL: f"{head}vm.min_free_kbytes = 9000\n"})
    changes = {one.path: one for one in sysctl_changes(host, {THP: "madvise"}) if isinstance(one, FileChange)}
    assert (changes[SYSCTL].content, changes[TMPFILES].content) == (head.encode(), (head + huge + least).encode())
    host, _ = machine({TMPFILES: head + huge})
    file, now = sysctl_changes(host, {f"{VM}/min_free_kbytes": "9000"})
    assert isinstance(file, FileChange)
    assert (file.path, file.content) == (TMPFILES, (head + huge + least).encode())
    assert isinstance(now, ValueChange)
    host, _ = machine({TMPFILES: head + huge + least})
    (file, _) = sysctl_changes(host, {f"{VM}/min_free_kbytes": "8000"})
    assert isinstance(file, FileChange)
    assert file.content == (head + huge + least.replace("9000", "8000")).encode()


def test_what_somebody_lets_be_kept_free_stays_so_after_a_boot_with_huge_pages() -> None:
    """sysctl is read before tmpfiles, whose write makes the kernel raise it."""
    ours = "/etc/sysctl.d/90-ours.conf"
    files = {
        THP: "[always] madvise never\n",
        "/usr/lib/sysctl.d/10-vendor.conf": "vm.min_free_kbytes = 1\n",
        ours: "# vm.min_free_kbytes = 7\nvm/min_free_kbytes=16384 \n",
        "/usr/lib/sysctl.d/95-masked.conf": "vm.min_free_kbytes = 2\n",
        "/etc/sysctl.d/95-masked.conf": "",
    }
    host, known = machine(files)
    assert min_free_at_boot(host) == (ours, "16384")
    (offer,) = offers(host, known, names=["huge_pages"])
    assert f"{ours} sets vm.min_free_kbytes, which is kept as it says today" in offer.effect.cost
    file, now = changes_of(host, known, [offer])
    assert isinstance(file, FileChange)
    lines = [f"w {THP} - - - - madvise", f"w {VM}/min_free_kbytes - - - - 16384"]
    assert file.content.decode().splitlines()[1:] == lines
    assert now == ValueChange(path=THP, text="madvise", why="now")
    host, known = machine({**files, TMPFILES: file.content})  # another value later leaves it
    again = sysctl_changes(host, {THP: "never"})[0]
    assert isinstance(again, FileChange)
    assert again.content == file.content.replace(b"madvise", b"never")
    host, known = machine({THP: files[THP], SYSCTL: "vm.min_free_kbytes = 9000\n"})
    assert min_free_at_boot(host) is None  # memfit's own
    assert "min_free_kbytes" not in offers(host, known, names=["huge_pages"])[0].effect.cost


@pytest.mark.parametrize("line", ["vm.swappiness=10", "vm/swappiness = 10", "  - vm.swappiness = 10"])
def test_what_an_administrator_set_is_not_fought(line: str) -> None:
    path = f"{VM}/swappiness"
    host, _ = machine({"/etc/sysctl.d/99-ours.conf": f"# vm.swappiness\n{line}\n"})
    assert set_by_somebody(host, path) == "/etc/sysctl.d/99-ours.conf"
    host, _ = machine({"/etc/sysctl.conf": f"{line}\n"})
    assert set_by_somebody(host, path) == "/etc/sysctl.conf"
    host, _ = machine({SYSCTL: f"{line}\n", "/etc/sysctl.conf": "#vm.swappiness=1\nvm.swappiness_not=1\n"})
    assert set_by_somebody(host, path) is None


def test_swappiness_is_a_matter_of_what_swap_is_on() -> None:
    default = {f"{VM}/swappiness": "60\n"}
    zram = offer_of("swappiness", default)
    assert zram.applies
    assert not zram.saves  # by name alone
    assert zram.settings == {f"{VM}/swappiness": "100"}
    file = {"/proc/swaps": "Filename Type Size Used Priority\n/swapfile file 4194304 0 -2\n"}
    assert "on a disk" in offer_of("swappiness", {**default, **file}).effect.reason
    assert offer_of("swappiness", {f"{VM}/swappiness": "150\n"}).effect.reason == "it is 150"
    assert "no swap" in offer_of("swappiness", default, name="orin-nano-8gb-headless").effect.reason


def test_min_free_goes_back_to_what_the_kernel_computes() -> None:
    raised = offer_of("min_free", {f"{VM}/min_free_kbytes": "45056\n"})
    assert raised.settings == {f"{VM}/min_free_kbytes": "11173"}  # the root of 16 · 7,802,736
    assert raised.effect.risk == "high"
    assert raised.effect.gain.low_bytes == (45056 - 11173) * KIB
    assert raised.effect.gain.likely_bytes > raised.effect.gain.low_bytes
    assert "as the kernel computes it" in offer_of("min_free", {f"{VM}/min_free_kbytes": "11173\n"}).effect.reason
    chosen = {f"{VM}/min_free_kbytes": "45056\n", "/etc/sysctl.conf": "vm.min_free_kbytes=45056\n"}
    assert offer_of("min_free", chosen).effect.reason == "/etc/sysctl.conf sets it"


def test_what_is_withheld_is_what_the_kernel_withholds() -> None:
    """Marks of one zone of 8 GiB with the kernel's defaults, as mm/page_alloc.c spaces them."""
    state = MinFree(now_bytes=64 * MIB, own_bytes=0, scale=10, total_bytes=8 << 30, files_bytes=0, slab_bytes=0)
    assert withheld_bytes(state, 64 * MIB) == 96 * MIB  # min, and twice a quarter of it
    assert withheld_bytes(state, 16 * MIB) == 16 * MIB + 2 * ((8 << 30) // 1000)
    large = msgspec.structs.replace(state, files_bytes=1 << 30, slab_bytes=20 * MIB)
    assert withheld_bytes(large, 64 * MIB) == 96 * MIB + 80 * MIB + 10 * MIB


def test_huge_pages_may_give_anything_up_to_what_they_hold() -> None:
    host, known = machine({THP: "[always] madvise never\n"})
    meminfo = host.read_bytes("/proc/meminfo").decode()
    host, known = machine({THP: "[always] madvise never\n", "/proc/meminfo": meminfo + "AnonHugePages:    204800 kB\n"})
    (offer,) = offers(host, known, names=["huge_pages"])
    assert (offer.effect.gain.likely_bytes, offer.effect.gain.high_bytes) == (0, 200 * MIB)
    assert offer.effect.when == "reboot"
    assert not offer.saves
    assert offer_of("huge_pages", {THP: "always [madvise] never\n"}).effect.reason == "it is madvise"
    told = {THP: "[always] madvise never\n", "/proc/cmdline": "root=/dev/nvme0n1p1 transparent_hugepage=always\n"}
    assert "command line" in offer_of("huge_pages", told).effect.reason


def test_dropping_caches_gives_what_nvmap_keeps_and_no_more() -> None:
    host, known = whole_machine()
    (offer,) = offers(host, known, names=["drop_caches"])
    (pool,) = (term.bytes for term in known.terms if term.name == "nvmap_pool")
    assert (offer.effect.gain.low_bytes, offer.effect.gain.likely_bytes) == (0, pool)
    assert offer.saves
    bare = msgspec.structs.replace(known, terms=tuple(term for term in known.terms if term.name != "nvmap_pool"))
    (without,) = offers(host, bare, names=["drop_caches"])
    assert without.effect.gain.high_bytes == 0
    assert without.applies
    assert not without.saves
    assert without.changes == (ValueChange(path=f"{VM}/drop_caches", text="3", why="drop caches once"),)


def test_compaction_gives_no_memory() -> None:
    (offer,) = offers(*whole_machine(), names=["compaction"])
    assert offer.applies
    assert not offer.saves
    assert offer.effect.gain.high_bytes == 0


def tmp(options: str, used: int, limit: int = 3_901_368 << 10) -> Offer:
    mounts = f"/dev/nvme0n1p1 / ext4 rw 0 0\n{options}"
    disks = {"/tmp": Disk(total_bytes=limit, free_bytes=limit - used)}
    return offer_of("tmpfs", {"/proc/mounts": mounts}, disks=disks)


def test_files_in_tmp_are_bounded_now_and_after_a_boot() -> None:
    offer = tmp("tmpfs /tmp tmpfs rw,nosuid,nodev,noexec,size=3901368k,inode64 0 0\n", 20 * MIB)
    assert offer.effect.gain.high_bytes == 0
    assert not offer.saves
    file, run = offer.changes
    bound = 477 * MIB  # MemTotal / 16, in whole MiB
    assert isinstance(file, FileChange)
    assert file.path == "/etc/systemd/system/tmp.mount.d/60-memfit.conf"
    assert f"Options=mode=1777,nosuid,nodev,noexec,size={bound}\n" in file.content.decode()
    assert run == RunChange(
        do=("mount", "-o", f"remount,size={bound}", "/tmp"),
        undo=("mount", "-o", f"remount,size={3_901_368 << 10}", "/tmp"),
        why="bound what files in /tmp may take of memory",
    )


def test_what_lies_in_tmp_fits_twice() -> None:
    offer = tmp("tmpfs /tmp tmpfs rw,mode=0777 0 0\n", 500 * MIB)
    file = offer.changes[0]
    assert isinstance(file, FileChange)
    assert f"Options=mode=0777,size={1000 * MIB}\n" in file.content.decode()
    assert "and no more" in tmp("tmpfs /tmp tmpfs rw 0 0\n", MIB, 256 * MIB).effect.reason
    hidden = "tmpfs /tmp tmpfs rw 0 0\n/dev/sda1 /tmp ext4 rw 0 0\n"
    assert tmp(hidden, MIB).effect.reason == "not on this machine"
