from __future__ import annotations

import msgspec

from memfit.device.audit import audit
from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, offers
from memfit.knob.changes import Change, LinkChange, UnitChange
from whole_machine import machine, whole_machine

LIB, ETC = "/lib/systemd/system", "/etc/systemd/system"
UNIT = b"[Unit]\n"
GDM = {f"{LIB}/gdm3.service": UNIT, f"{LIB}/multi-user.target": UNIT, f"{LIB}/graphical.target": UNIT}
GRAPHICAL = {
    f"{ETC}/default.target": f"{LIB}/graphical.target",
    f"{ETC}/display-manager.service": f"{LIB}/gdm3.service",
}


def desktop(files: dict[str, bytes] | None = None, links: dict[str, str] | None = None, **more: object) -> Offer:
    host, known = machine({**GDM, **(files or {})}, links=GRAPHICAL if links is None else links, **more)  # type: ignore[arg-type]
    (offer,) = offers(host, known, names=["desktop"])
    return offer


def links_of(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.path: change.target for change in changes if isinstance(change, LinkChange)}


def stopped(changes: tuple[Change, ...]) -> list[str]:
    return [change.unit for change in changes if isinstance(change, UnitChange) and not change.active]


def test_the_target_is_changed_and_the_manager_stopped_once_whatever_it_is_called() -> None:
    offer = desktop({f"{LIB}/gdm.service": UNIT}, {**GRAPHICAL, f"{LIB}/gdm.service": "gdm3.service"})
    assert offer.saves
    assert offer.effect.when == "live"
    assert links_of(offer.changes) == {f"{ETC}/default.target": f"{LIB}/multi-user.target"}
    assert stopped(offer.changes) == ["gdm3.service"]


def test_its_gain_counts_every_process_with_its_gpu_memory_once() -> None:
    host, known = whole_machine()
    rows = [row for row in known.processes if row.role == "desktop"]
    pids = {row.pid for row in rows}
    on_gpu = sum(client.bytes for client in known.nvmap if client.pid in pids)
    gain = offers(host, known, names=["desktop"])[0].effect.gain
    assert on_gpu > 100 << 20
    assert gain.low_bytes == sum(row.anonymous_bytes for row in rows) + on_gpu
    assert gain.high_bytes == sum((row.pss_bytes or 0) + row.kernel_bytes for row in rows) + on_gpu


def test_the_link_leads_where_the_distributions_targets_are() -> None:
    usr = "/usr/lib/systemd/system"
    merged = desktop({f"{usr}/multi-user.target": UNIT}, {})
    assert links_of(merged.changes) == {f"{ETC}/default.target": f"{usr}/multi-user.target"}
    as_chosen = desktop({f"{usr}/multi-user.target": UNIT}, GRAPHICAL)
    assert links_of(as_chosen.changes) == {f"{ETC}/default.target": f"{LIB}/multi-user.target"}
    nowhere = desktop(without=(f"{LIB}/multi-user.target",))
    assert "no multi-user.target" in nowhere.effect.reason


def test_what_somebody_boots_into_instead_is_left_alone() -> None:
    kiosk = desktop(links={f"{ETC}/default.target": f"{ETC}/kiosk.target"})
    assert kiosk.effect.reason == "the default target is kiosk.target, which is somebody's own"
    own = desktop({f"{ETC}/default.target": UNIT}, {})
    assert "somebody's own" in own.effect.reason


def test_a_desktop_that_does_not_start_but_runs_is_only_stopped() -> None:
    text = {**GRAPHICAL, f"{ETC}/default.target": f"{LIB}/multi-user.target"}
    offer = desktop(links=text)
    assert links_of(offer.changes) == {}
    assert stopped(offer.changes) == ["gdm3.service"]
    host, known = machine(GDM, links=text, name="orin-nano-8gb-headless")
    assert offers(host, known, names=["desktop"])[0].effect.reason == "no desktop starts by itself"


def inside(ancestors: list[str], cgroup: str = "0::/user.slice/user-1000.slice/session-2.scope\n") -> Offer:
    """The knob asked by a process on the machine whose parents have these names, its own first."""
    files = dict(GDM) | {"/proc/self/cgroup": cgroup.encode()}
    pids = ["self", *map(str, range(9001, 9000 + len(ancestors)))]
    parents = [*range(9001, 9000 + len(ancestors)), 1]
    for at, name, parent in zip(pids, ancestors, parents, strict=True):
        files[f"/proc/{at}/stat"] = f"42 ({name}) S {parent} {'1 ' * 40}".encode()
    host, known = machine(files, links=GRAPHICAL)
    (offer,) = offers(SnapshotHost(host.snapshot, door="local"), known, names=["desktop"])
    return offer


def test_memfit_does_not_end_the_terminal_it_runs_in() -> None:
    for terminal in (["memfit", "sudo", "bash", "gnome-terminal-"], ["memfit", "bash", "xterm", "gnome-shell"]):
        offer = inside(terminal)
        assert offer.effect.when == "reboot"
        assert stopped(offer.changes) == []
        assert links_of(offer.changes)
        assert "memfit runs in it" in offer.effect.gain.evidence


def test_who_comes_by_ssh_or_a_text_console_is_not_in_the_desktop() -> None:
    for last in ("sshd", "login", "tmux: server"):
        offer = inside(["memfit", "sudo", "bash", last])
        assert offer.effect.when == "live"
        assert stopped(offer.changes) == ["gdm3.service"]
    service = inside(["python3"], cgroup="0::/system.slice/jupyter.service\n")
    assert service.effect.when == "live"


def test_remote_desktops_are_a_cost_and_make_the_gain_less_sure() -> None:
    host, _ = machine(
        {
            **GDM,
            "/proc/6001/stat": f"6001 (xrdp-sesman) S 1 6001 6001 0 -1 4194304 {'0 ' * 11}1 0 900 9000 900 {'0 ' * 30}",
            "/proc/6001/cmdline": "/usr/sbin/xrdp-sesman\0",
            "/proc/6001/cgroup": "0::/system.slice/xrdp-sesman.service\n",
            "/proc/6001/smaps_rollup": "0-1 ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss: 800 kB\nPss_Anon: 700 kB\n",
        },
        links=GRAPHICAL,
    )  # fmt: skip
    listed = {**host.snapshot.folders, "/proc": (*host.snapshot.folders["/proc"], "6001")}
    there = SnapshotHost(msgspec.structs.replace(host.snapshot, folders=listed))
    (offer,) = offers(there, audit(there), names=["desktop"])
    assert "remote desktops (xrdp-sesman)" in offer.effect.cost
    assert offer.effect.gain.low_bytes == 0 < offer.effect.gain.likely_bytes


def test_an_image_gets_the_link_alone() -> None:
    offer = desktop(live=False)
    assert links_of(offer.changes) == {f"{ETC}/default.target": f"{LIB}/multi-user.target"}
    assert stopped(offer.changes) == []
    assert offer.effect.gain.evidence == "an image: nothing runs"


def test_a_compositor_of_a_service_of_its_own_is_not_the_desktops() -> None:
    host, known = machine({**GDM, f"{LIB}/nvweston.service": UNIT}, links=GRAPHICAL)
    row = msgspec.structs.replace(known.processes[0], pid=7000, name="weston", unit="nvweston.service", kind="service")
    known = msgspec.structs.replace(known, processes=(*known.processes, row))
    with_it = {offer.name: offer.effect.gain for offer in offers(host, known, names=["desktop", "weston"])}
    assert with_it["weston"].likely_bytes > 0
    assert with_it["desktop"] == desktop().effect.gain
